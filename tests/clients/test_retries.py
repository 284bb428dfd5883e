"""What the clients do by themselves when something takes too long or goes wrong: it costs once, or nothing."""

import concurrent.futures
import itertools
import time

import pytest
from clients import KINDS

# The test pattern's steps.
STEPS = 8
DRAW = {"model": "gpt-image-1"}


def slow(seconds: float) -> str:
    """Returns a prompt that takes so long to draw."""
    return f"a fox [slow {int(seconds * 1000 / STEPS)}ms]"


def kinds(chosen):
    return pytest.mark.parametrize("client", chosen, ids=lambda kind: kind.name, indirect=True)


def at_once(clients, ask):
    """Asks with all clients at the same time, when all of them run: most of it is waiting."""
    for client in clients:
        assert client.ask("models").told["models"]
    with concurrent.futures.ThreadPoolExecutor(len(clients)) as pool:
        return list(zip(clients, pool.map(ask, clients)))


def counts(requests):
    """What the clients say of which try it is."""
    return [request.headers.get("x-stainless-retry-count") for request in requests]


@kinds([kind for kind in KINDS if kind.asks_again])
def test_a_client_that_lost_its_patience_pays_once_however_often_it_asks(client):
    # The first two tries end before the picture is there; the third gets it.
    answer = client.ask("generate", timeout=1.5, prompt=slow(4.2), **DRAW)
    assert len(answer.pictures) == 1
    assert counts(answer.requests) == ["0", "1", "2"]
    assert answer.charged == 1
    assert client.facts == ["opened", "granted", "held", "captured"]


@kinds([kind for kind in KINDS if kind.repeats_files])
def test_an_edit_that_is_sent_again_under_another_boundary_is_the_same_edit(client, uploads):
    files = {"image": uploads.square, "mask": uploads.mask}
    answer = client.ask("edit", timeout=1, prompt=slow(1.4), files=files, **DRAW)
    assert len(answer.pictures) == 1
    assert counts(answer.requests) == ["0", "1"]
    assert len({request.headers["content-type"] for request in answer.requests}) == 2
    assert answer.charged == 1
    assert client.facts == ["opened", "granted", "held", "captured"]


@kinds([kind for kind in KINDS if kind.asks_again])
def test_two_equal_requests_that_lost_their_patience_pay_twice_and_no_more(client):
    asked = [client.start("generate", timeout=1, prompt=slow(0.8), **DRAW) for _ in range(2)]
    data = [told.result(30)["reply"]["data"][0]["b64_json"] for told in asked]
    assert data[0] != data[1]
    assert client.available == 13
    assert sorted(client.facts) == sorted(["opened", "granted", "held", "held", "captured", "captured"])


@kinds([kind for kind in KINDS if not kind.asks_again])
def test_with_an_idempotency_key_a_second_call_finds_what_the_first_began(client):
    ask = lambda timeout: client.ask(
        "generate", timeout=timeout, headers={"Idempotency-Key": "patience-1"}, prompt=slow(1.6), **DRAW
    )
    first = ask(0.8)
    assert first.error.kind == client.kind.timeout
    second = ask(20)
    assert len(second.pictures) == 1
    assert (len(first.requests), len(second.requests)) == (1, 1)
    assert client.available == 14
    assert client.facts == ["opened", "granted", "held", "captured"]


@kinds([kind for kind in KINDS if kind.asks_again])
def test_a_connection_that_breaks_while_it_is_drawn_costs_nothing_more(client):
    client.studio.proxy.hang_up(client.key, 0.4)
    answer = client.ask("generate", prompt=slow(1.2), **DRAW)
    assert len(answer.pictures) == 1
    assert counts(answer.requests) == ["0", "1"]
    assert answer.charged == 1
    assert client.facts == ["opened", "granted", "held", "captured"]


def test_a_rate_limit_is_waited_for_and_then_drawn(limited, open_client):
    asked_too_much = [open_client(kind, limited, "none") for kind in KINDS]

    def ask(client):
        limited.grant(client.account, 100)
        # Leaves less than the next request asks for, and says how much.
        left = 60
        while left > 5:
            fill = {"model": "test-pattern", "prompt": "a fox", "size": "64x64", "n": 10 if left > 14 else left - 4}
            _, headers = limited.ask("POST", "/v1/images/generations", client.key, fill)
            left = int(headers["x-ratelimit-remaining-images"])
        return client.ask("generate", prompt="a fox", n=left + 5, **DRAW)

    for client, answer in at_once(asked_too_much, ask):
        if client.kind.tries == 1:
            error = answer.error
            assert (error.status, error.type, error.code, error.param) == (429, "images", "rate_limit_exceeded", None)
            assert error.kind == client.kind.error(429)
            assert "Rate limit exceeded for images per minute" in error.message
            assert (answer.charged, len(answer.requests)) == (0, 1)
        else:
            assert len(answer.requests) == 2, client.kind.name
            assert answer.charged == -(-len(answer.pictures) // 4) >= 2


def test_a_full_queue_is_waited_for_and_then_drawn(crowded, open_client):
    filler = crowded.account("filler")
    fill = {"model": "test-pattern", "prompt": "[stall]", "size": "64x64"}
    numbers = itertools.count(1)
    queue = lambda: crowded.ask("POST", "/api/jobs", filler, fill, Idempotency_Key=f"fill-{next(numbers)}")[0]["id"]
    # One is drawn, and never ends; the others wait.
    jobs = [queue()]
    wait_for(lambda: crowded.ask("GET", f"/api/jobs/{jobs[0]}", filler)[0]["state"] == "running")
    jobs += [queue() for _ in KINDS]
    waiting = [open_client(kind, crowded) for kind in KINDS]
    drawing = lambda: sum(seen.path.endswith("/generations") for seen in crowded.proxy.seen)

    def make_room():
        wait_for(lambda: drawing() == len(waiting))
        # All of them have their answer by now, and wait.
        time.sleep(1)
        for job in reversed(jobs):
            crowded.ask("POST", f"/api/jobs/{job}/cancel", filler, {})

    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        made = pool.submit(make_room)
        answers = at_once(waiting, lambda client: client.ask("generate", prompt="a fox", **DRAW))
        made.result()
    for client, answer in answers:
        if client.kind.tries == 1:
            error = answer.error
            assert (error.status, error.type, error.code) == (503, "server_error", "engine_overloaded")
            assert error.kind == client.kind.error(503)
            assert error.param is None
            assert "Nothing was charged" in error.message
            assert (answer.charged, len(answer.requests)) == (0, 1)
        else:
            assert len(answer.pictures) == 1
            assert (answer.charged, len(answer.requests)) == (1, 2), client.kind.name
    assert crowded.available(filler) == 15


def wait_for(condition, seconds=30):
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends, "it did not happen"
        time.sleep(0.05)

"""Streamed pictures: early looks, then each picture, by every client that streams pictures."""

import base64

import pytest
from asking import decoded
from clients import KINDS
from PIL import ImageChops, ImageStat

pytestmark = pytest.mark.parametrize(
    "client", [kind for kind in KINDS if kind.stream_error], ids=lambda kind: kind.name, indirect=True
)
COMMON = ["size", "quality", "background", "output_format", "created_at"]


def pictures(events):
    return [decoded(base64.b64decode(event["b64_json"], validate=True)) for event in events]


def split(answer, call):
    """Returns the early looks and the pictures; there is nothing else in the stream."""
    looks = [event for event in answer.events if event["type"] == f"{call}.partial_image"]
    finished = [event for event in answer.events if event["type"] == f"{call}.completed"]
    assert answer.events == looks + finished
    for event in answer.events:
        assert all(event[name] is not None for name in COMMON), event
    for event in finished:
        usage = event["usage"]
        assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"] > 0
    return looks, finished


def distance(picture, other):
    return sum(ImageStat.Stat(ImageChops.difference(picture.convert("RGB"), other.convert("RGB"))).sum)


@pytest.mark.parametrize("partial_images", [0, 1, 3])
def test_as_many_early_looks_come_as_asked_for_and_each_is_nearer(client, partial_images):
    answer = client.ask(
        "generate", model="gpt-image-1", prompt="a fox", stream=True, partial_images=partial_images, quality="low"
    )
    looks, finished = split(answer, "image_generation")
    assert [look["partial_image_index"] for look in looks] == list(range(partial_images))
    (picture,) = pictures(finished)
    assert {event["quality"] for event in answer.events} == {"low"}
    assert finished[0]["size"] == f"{picture.width}x{picture.height}"
    distances = [distance(look.resize(picture.size), picture) for look in pictures(looks)]
    assert distances == sorted(distances, reverse=True)
    assert all(step > 0 for step in distances)
    assert (answer.charged, len(answer.requests)) == (1, 1)


def test_each_of_several_pictures_is_completed(client):
    answer = client.ask("generate", model="dall-e-2", prompt="a fox", size="256x256", n=4, stream=True)
    looks, finished = split(answer, "image_generation")
    assert looks == []
    assert len({picture.tobytes() for picture in pictures(finished)}) == 4
    assert (answer.charged, len(answer.requests)) == (1, 1)


def test_an_edit_is_streamed_under_its_own_names(client, uploads):
    answer = client.ask(
        "edit", model="gpt-image-1", prompt="a balloon", stream=True, partial_images=2,
        files={"image": uploads.square, "mask": uploads.mask},
    )
    looks, finished = split(answer, "image_edit")
    assert len(looks) == 2
    assert [picture.size for picture in pictures(finished)] == [(256, 256)]
    assert (answer.charged, len(answer.requests)) == (1, 1)


def test_a_failure_on_the_way_is_an_error_with_its_code_and_costs_nothing(client):
    answer = client.ask("generate", model="gpt-image-1", prompt="[fail]", stream=True, partial_images=3)
    error = answer.error
    assert error.kind == client.kind.stream_error
    assert "No credit was used." in error.message
    assert "generation_failed" in (error.code, *error.message.split('"'))
    assert all(event["type"] == "image_generation.partial_image" for event in answer.told["events"])
    assert (answer.charged, len(answer.requests)) == (0, 1)
    assert client.facts == ["opened", "granted", "held", "voided"]


def test_what_is_refused_is_refused_before_the_stream_begins(client):
    answer = client.ask("generate", model="gpt-image-1", prompt=" ", stream=True)
    assert (answer.error.status, answer.error.code) == (400, "missing_required_parameter")
    assert answer.error.kind == client.kind.error(400)
    assert (answer.charged, len(answer.requests)) == (0, 1)


def test_a_streamed_request_is_repeated_with_its_key_for_nothing(client):
    ask = lambda: client.ask(
        "generate", headers={"Idempotency-Key": "stream-1"}, model="gpt-image-1", prompt="a fox", stream=True
    )
    first, again = ask(), ask()
    (one,), (other,) = (pictures(split(answer, "image_generation")[1]) for answer in [first, again])
    assert one.tobytes() == other.tobytes()
    assert (first.charged, again.charged) == (1, 0)

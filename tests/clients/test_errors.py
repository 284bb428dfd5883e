"""Every refusal of the dialect that a client can provoke: told in full, asked once, charged nothing."""

import dataclasses
import re
import socket

import pytest
from clients import KINDS

INVALID, USER = "invalid_request_error", "image_generation_user_error"


@dataclasses.dataclass(frozen=True)
class Refusal:
    """A request that is wrong in one way, and how that must be told."""

    name: str
    verb: str
    arguments: dict
    code: str | None
    param: str | None
    says: str
    status: int = 400
    type: str = INVALID
    files: dict = dataclasses.field(default_factory=dict)
    # The clients whose types cannot say it.
    cannot: tuple = ()


def generate(name, code, param, says, **given) -> Refusal:
    own = {field.name for field in dataclasses.fields(Refusal)}
    arguments = {"prompt": "a fox", **{key: value for key, value in given.items() if key not in own}}
    return Refusal(
        name, "generate", arguments, code, param, says, **{key: value for key, value in given.items() if key in own}
    )


def upload(name, code, param, says, verb="edit", model="dall-e-2", **files) -> Refusal:
    own = {key: files.pop(key) for key in ["type"] if key in files}
    arguments = {"model": model} | ({"prompt": "a balloon"} if verb == "edit" else {})
    return Refusal(name, verb, arguments, code, param, says, files=files, **own)


REFUSALS = [
    generate("unknown model", "model_not_found", "model", "^The model 'dall-e-9' does not exist.$",
             model="dall-e-9", status=404),
    generate("bad size of dall-e-2", None, "size",
             r"^'300x300' is not one of \['256x256', '512x512', '1024x1024'\] - 'size'$",
             model="dall-e-2", size="300x300"),
    generate("bad size of dall-e-3", "invalid_size", None, "^The size is not supported by this model.$",
             model="dall-e-3", size="512x512"),
    generate("bad size of others", "invalid_value", "size", "'256x256'", model="gpt-image-1", size="300x300"),
    generate("too few", "integer_below_min_value", "n", "Expected a value >= 1, but got 0 instead",
             model="dall-e-2", n=0),
    generate("too many", "integer_above_max_value", "n",
             "^Invalid 'n': integer above maximum value. Expected a value <= 10, but got 11 instead.$",
             model="dall-e-2", n=11),
    generate("two of dall-e-3", "integer_above_max_value", "n", "<= 1, but got 2", model="dall-e-3", n=2),
    generate("blank prompt", "missing_required_parameter", "prompt", "'prompt'", prompt=" \n "),
    generate("empty prompt", "missing_required_parameter", "prompt", "'prompt'", prompt=""),
    generate("long prompt", None, "prompt",
             "^Prompt must be length 1000 or less. Your prompt length is 1001. Please reduce your prompt length.$",
             model="dall-e-2", prompt="x" * 1001),
    generate("unknown parameter", "unknown_parameter", "background", "^Unknown parameter: 'background'.$",
             model="dall-e-2", background="opaque"),
    generate("unknown word", "invalid_value", "response_format", "'url', and 'b64_json'",
             response_format="tiff", cannot=("async-openai-0.43",)),
    generate("transparent JPEG", "unsupported_value", "background", "png or webp",
             model="gpt-image-1", background="transparent", output_format="jpeg"),
    generate("looks without a stream", "unsupported_value", "partial_images", "stream=true",
             model="gpt-image-1", partial_images=2),
    generate("long body", "request_too_large", None, "bytes", prompt="x" * (1 << 20), status=413),
    upload("JPEG for dall-e-2", None, "image", "^Uploaded image must be a PNG and less than 4 MB.$",
           image="photo", mask="mask"),
    upload("4 MB for dall-e-2", None, "image", "^Uploaded image must be a PNG and less than 4 MB.$",
           image="large"),
    upload("not square for dall-e-2", "invalid_image", "image", "256x128", image="wide", mask="wide"),
    upload("undecodable for a gpt alias", "invalid_image_file", None,
           "^Invalid image file or mode for image 1, please check your image file.",
           model="gpt-image-1", image="broken", mask="mask", type=USER),
    upload("mask of another size", "invalid_mask", "mask", "(?s)128x128.*256x256|256x256.*128x128",
           image="square", mask="small_mask"),
    upload("neither mask nor transparency", "invalid_mask", "mask", "mask", image="square"),
    upload("JPEG to vary", None, "image", "^Uploaded image must be a PNG and less than 4 MB.$", "vary", image="photo"),
    upload("wide to vary", "invalid_image", "image", "256x128", "vary", image="wide"),
    upload("broken to vary", None, "image", "^Uploaded image must be a PNG and less than 4 MB.$", "vary",
           image="broken"),
]
CASES = [
    pytest.param(refusal, kind, id=f"{refusal.name}-{kind.name}")
    for refusal in REFUSALS
    for kind in KINDS
    if kind.name not in refusal.cannot
]


def check_refused(answer, client, status, type, code, param, says, requests=1):
    """The client told all of it, asked so often, and nothing was charged."""
    error = answer.error
    assert (error.status, error.type, error.code, error.param) == (status, type, code, param), error
    assert re.search(says, error.message), error.message
    assert error.kind == client.kind.error(status)
    if client.kind.tells_id:
        assert error.request_id.startswith("req_")
    assert (answer.charged, len(answer.requests)) == (0, requests)


@pytest.mark.parametrize(("refusal", "client"), CASES, indirect=["client"])
def test_a_wrong_request_is_refused_in_the_dialect(refusal, client, uploads):
    files = {name: getattr(uploads, path) for name, path in refusal.files.items()}
    answer = client.ask(refusal.verb, files=files, **refusal.arguments)
    check_refused(answer, client, refusal.status, refusal.type, refusal.code, refusal.param, refusal.says)
    # Neither a hold nor a job: it was refused before anything was set aside.
    assert client.facts == ["opened", "granted"]
    prompt = refusal.arguments.get("prompt", "").strip()
    assert not prompt or prompt not in answer.error.message, "prompts are never repeated"


def test_a_client_that_writes_all_of_its_body_first_can_read_the_refusal(pattern):
    # As Node's and Rust's clients do: a write that fails is the end for them, whatever the server has said.
    length = 8 << 20
    head = (
        "POST /v1/images/generations HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        f"Authorization: Bearer {pattern.account('large')}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", pattern.port), 30) as connection:
        connection.sendall(head.encode() + b"{" * length)
        assert connection.recv(1000).startswith(b"HTTP/1.1 413 ")


def test_a_request_without_a_key_is_refused(client):
    answer = client.ask("generate", key=None, prompt="a fox")
    if client.kind.keyless:
        check_refused(answer, client, 401, INVALID, None, None, "^You didn't provide an API key")
    else:
        assert answer.error.kind == "AuthenticationError"
        assert (answer.charged, len(answer.requests)) == (0, 0), "the client refuses by itself"


def test_a_wrong_key_is_refused_and_masked(client):
    key = "sk-m-" + "a" * 61
    answer = client.ask("generate", key=key, prompt="a fox")
    check_refused(answer, client, 401, INVALID, "invalid_api_key", None, "^Incorrect API key provided: sk-")
    assert "a" * 20 not in answer.error.message


def test_a_revoked_key_is_refused(client):
    made = client.studio.ask("POST", f"/api/accounts/{client.account}/keys", body={})[0]
    assert client.ask("models", key=made["secret"]).told["models"]
    client.studio.ask("DELETE", f"/api/keys/{made['id']}")
    answer = client.ask("generate", key=made["secret"], prompt="a fox")
    check_refused(answer, client, 401, INVALID, "invalid_api_key", None, "^Incorrect API key provided: sk-")


def test_a_key_that_may_not_draw_is_refused(client):
    service = client.studio.ask("POST", "/api/keys", body={"owner": "service", "label": ""})[0]["secret"]
    answer = client.ask("generate", key=service, prompt="a fox")
    check_refused(answer, client, 403, INVALID, "insufficient_permissions", None, "")


def test_without_credits_one_request_is_seen_and_nothing_is_queued(client):
    poor = client.with_account("none")
    answer = poor.ask("generate", model="dall-e-2", prompt="a fox", size="256x256")
    check_refused(
        answer, poor, 429, "insufficient_quota", "insufficient_quota", None,
        "^You exceeded your current quota, please check your plan and billing details.$",
    )
    assert poor.facts == ["opened"]


FORBIDDEN = {"prompt": "a cannon on a hill"}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_forbidden_words_are_refused_as_each_model_does(kind, judging, open_client, uploads):
    client = open_client(kind, judging)
    older = "^Your request was rejected as a result of our safety system"
    newer = r"rejected .* safety system.* safety_violations=\[weapons\]"
    edit = {"files": {"image": uploads.square, "mask": uploads.mask}, **FORBIDDEN}
    for model, code, type, says in [
        ("dall-e-2", "content_policy_violation", INVALID, older), ("gpt-image-1", "moderation_blocked", USER, newer),
    ]:
        for answer in [client.ask("generate", model=model, **FORBIDDEN), client.ask("edit", model=model, **edit)]:
            check_refused(answer, client, 400, type, code, None, says)
            assert "cannon" not in answer.error.message
    assert client.facts == ["opened", "granted"]


def test_a_budget_that_is_used_up_is_a_hard_limit(client):
    client.studio.ask("PUT", f"/api/accounts/{client.account}/budgets/account/month", body={"limit": "2"})
    answer = client.ask("generate", model="gpt-image-1", prompt="a fox", n=10)
    check_refused(
        answer, client, 400, INVALID, "billing_hard_limit_reached", None, "^Billing hard limit has been reached"
    )


def test_a_failed_engine_costs_nothing_and_both_entries_are_visible(client):
    answer = client.ask("generate", model="dall-e-2", prompt="[fail]", size="256x256")
    # Clients that ignore `x-should-retry: false` draw, and fail, again: each time for nothing.
    requests = 1 if client.kind.obeys else client.kind.tries
    check_refused(answer, client, 500, "server_error", "generation_failed", None, "No credit was used.$", requests)
    assert client.facts == ["opened", "granted", *["held", "voided"] * requests]


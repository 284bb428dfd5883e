"""OpenAI's own Python client against the release binary, unmodified."""

import base64
import concurrent.futures
import io
import json
import urllib.request

import openai
import pytest
from PIL import Image


class Counted(openai.OpenAI):
    """The client, counting the requests that leave it."""

    def __init__(self, studio, key, **options):
        self.requests = []
        http = openai.DefaultHttpxClient(event_hooks={"request": [self.requests.append]})
        super().__init__(base_url=f"{studio.url}/v1", api_key=key, http_client=http, **options)


def api(studio, key, path):
    request = urllib.request.Request(studio.url + path, headers={"Authorization": f"Bearer {key}"})
    with urllib.request.urlopen(request) as reply:
        return json.load(reply)


def available(studio, key):
    return api(studio, key, "/api/credits")["available"]


def facts(studio, key):
    """What happened to the account, oldest first, without the extensions that say nothing about credits."""
    entries = api(studio, key, "/api/credits/entries?limit=100")["entries"]
    return [entry["fact"] for entry in reversed(entries) if entry["fact"] != "extended"]


def fetch(url):
    with urllib.request.urlopen(url) as reply:
        assert reply.headers["content-type"] == "image/png"
        return Image.open(io.BytesIO(reply.read()))


def test_a_prompt_becomes_four_pictures_for_one_credit(pocket):
    key = pocket.account("fox")
    assert available(pocket, key) == "15"
    client = Counted(pocket, key)
    reply = client.images.generate(prompt="a red fox", n=4, size="256x256")
    pictures = [fetch(item.url) for item in reply.data]
    assert [picture.size for picture in pictures] == [(256, 256)] * 4
    assert all(picture.format == "PNG" for picture in pictures)
    assert len({picture.tobytes() for picture in pictures}) == 4, "four that differ"
    assert len(client.requests) == 1
    assert available(pocket, key) == "14"
    assert facts(pocket, key) == ["opened", "granted", "held", "captured"]
    assert pocket.run("ledger", "verify")["findings"] == []


def test_bytes_come_in_the_reply_when_asked_for(pocket):
    client = Counted(pocket, pocket.account("bytes"))
    reply = client.images.generate(prompt="a lighthouse", response_format="b64_json", size="512x512")
    (item,) = reply.data
    assert item.url is None
    assert Image.open(io.BytesIO(base64.b64decode(item.b64_json))).size == (512, 512)
    assert isinstance(reply.created, int)


def test_a_gpt_alias_answers_in_bytes_and_leaves_the_background_out(pocket):
    client = Counted(pocket, pocket.account("alias"))
    reply = client.images.generate(model="gpt-image-1", prompt="a pineapple", background="transparent", size="auto")
    picture = Image.open(io.BytesIO(base64.b64decode(reply.data[0].b64_json)))
    assert picture.mode == "RGBA"
    assert picture.getpixel((0, 0))[3] == 0


def test_without_credits_one_request_is_seen_and_nothing_is_queued(pattern):
    key = pattern.account("empty")
    client = Counted(pattern, key)
    for _ in range(5):
        client.images.generate(prompt="a fox", n=10, size="256x256")
    assert available(pattern, key) == "0"
    before, seen = facts(pattern, key), len(client.requests)
    with pytest.raises(openai.RateLimitError) as refused:
        client.images.generate(prompt="a fox", size="256x256")
    assert refused.value.code == "insufficient_quota"
    assert len(client.requests) == seen + 1, "the client was told not to retry"
    assert facts(pattern, key) == before


def test_a_failed_engine_costs_nothing_and_both_entries_are_visible(pattern):
    key = pattern.account("failing")
    client = Counted(pattern, key)
    with pytest.raises(openai.InternalServerError) as failed:
        client.images.generate(prompt="[fail]", size="256x256")
    assert failed.value.code == "generation_failed"
    assert "No credit was used" in failed.value.message
    assert len(client.requests) == 1
    assert failed.value.request_id.startswith("req_")
    assert available(pattern, key) == "15"
    assert facts(pattern, key)[-2:] == ["held", "voided"]


@pytest.mark.parametrize(
    ("arguments", "error", "param"),
    [
        ({"prompt": ""}, openai.BadRequestError, "prompt"),
        ({"prompt": "x" * 1001, "model": "dall-e-2"}, openai.BadRequestError, "prompt"),
        ({"prompt": "a fox", "n": 11}, openai.BadRequestError, "n"),
        ({"prompt": "a fox", "n": 0}, openai.BadRequestError, "n"),
        ({"prompt": "a fox", "size": "300x300", "model": "dall-e-2"}, openai.BadRequestError, "size"),
        ({"prompt": "a fox", "model": "dall-e-9"}, openai.NotFoundError, "model"),
        ({"prompt": "a fox", "response_format": "tiff"}, openai.BadRequestError, "response_format"),
    ],
)
def test_bad_input_is_named_and_costs_nothing(pattern, arguments, error, param):
    key = pattern.account(f"bad-{abs(hash(str(arguments))) % 10**9}")
    client = Counted(pattern, key)
    with pytest.raises(error) as refused:
        client.images.generate(**arguments)
    assert refused.value.param == param
    assert len(client.requests) == 1
    assert available(pattern, key) == "15"
    assert facts(pattern, key) == ["opened", "granted"]


def test_a_wrong_key_is_refused(pattern):
    with pytest.raises(openai.AuthenticationError) as refused:
        Counted(pattern, "sk-m-" + "a" * 61).images.generate(prompt="a fox")
    assert refused.value.code == "invalid_api_key"
    assert "a" * 20 not in refused.value.message, "the key is masked"


def test_an_idempotency_key_pays_once_and_returns_the_same_pictures(pattern):
    key = pattern.account("idempotent")
    client = Counted(pattern, key)
    headers = {"Idempotency-Key": "order-1"}
    ask = lambda prompt: client.images.generate(prompt=prompt, n=2, size="256x256", extra_headers=headers)
    first, again = ask("a fox"), ask("a fox")
    assert [item.model_extra["id"] for item in first.data] == [item.model_extra["id"] for item in again.data]
    assert first.created == again.created
    assert available(pattern, key) == "14"
    with pytest.raises(openai.UnprocessableEntityError) as refused:
        ask("a bear")
    assert refused.value.code == "idempotency_key_reused"
    assert available(pattern, key) == "14"


def test_sixty_four_at_once_spend_exactly_what_is_there(pattern):
    key = pattern.account("race")
    client = Counted(pattern, key)

    def one(_):
        try:
            client.images.generate(prompt="a fox", size="256x256")
            return "drawn"
        except openai.RateLimitError as refused:
            return refused.code

    with concurrent.futures.ThreadPoolExecutor(64) as pool:
        outcomes = list(pool.map(one, range(64)))
    assert sorted(set(outcomes)) == ["drawn", "insufficient_quota"]
    assert outcomes.count("drawn") == 15
    assert available(pattern, key) == "0"
    assert pattern.run("ledger", "verify")["findings"] == []


def test_models_are_listed_and_found(pocket):
    client = Counted(pocket, pocket.account("models"))
    listed = [model.id for model in client.models.list()]
    assert "dall-e-2" in listed
    assert client.models.retrieve(listed[0]).id == listed[0]
    with pytest.raises(openai.NotFoundError) as unknown:
        client.models.retrieve("dall-e-9")
    assert unknown.value.code == "model_not_found"

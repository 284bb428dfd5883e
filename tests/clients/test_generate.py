"""Pictures from a prompt, by every client."""

import collections
import concurrent.futures

import pytest
from clients import ANSWER_SECONDS_MAX


def test_a_prompt_becomes_four_pictures_for_one_credit(client):
    answer = client.ask("generate", model="dall-e-2", prompt="a red fox", n=4, size="256x256")
    assert [picture.size for picture in answer.pictures] == [(256, 256)] * 4
    assert all(picture.format == "PNG" for picture in answer.pictures)
    assert len({picture.tobytes() for picture in answer.pictures}) == 4, "four that differ"
    assert all(item.get("url") and not item.get("b64_json") for item in answer.reply["data"])
    assert (answer.charged, len(answer.requests)) == (1, 1)
    assert client.facts == ["opened", "granted", "held", "captured"]


def test_bytes_come_in_the_reply_when_asked_for(client):
    answer = client.ask(
        "generate", model="dall-e-2", prompt="a lighthouse", response_format="b64_json", size="512x512"
    )
    (picture,) = answer.pictures
    assert picture.size == (512, 512)
    assert answer.reply["data"][0]["b64_json"]
    assert 1_700_000_000 < answer.reply["created"] < 2**32
    assert (answer.charged, len(answer.requests)) == (1, 1)


def test_what_is_left_out_has_its_default(client):
    answer = client.ask("generate", prompt="a bicycle")
    (picture,) = answer.pictures
    assert picture.format == "PNG"
    assert (answer.charged, len(answer.requests)) == (1, 1)


@pytest.mark.parametrize("output_format", ["png", "webp"])
def test_a_gpt_alias_answers_in_bytes_and_leaves_the_background_out(client, output_format):
    answer = client.ask(
        "generate", model="gpt-image-1", prompt="a pineapple", background="transparent", output_format=output_format,
        quality="high",
    )
    (picture,) = answer.pictures
    assert (picture.format, picture.mode) == (output_format.upper(), "RGBA")
    assert picture.getpixel((0, 0))[3] == 0
    told = answer.reply
    assert (told["background"], told["output_format"], told["quality"]) == ("transparent", output_format, "high")
    assert told["size"] == f"{picture.width}x{picture.height}"
    usage = told["usage"]
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"] > 0
    assert (answer.charged, len(answer.requests)) == (1, 1)


def test_a_jpeg_is_packed_as_hard_as_asked_for(client):
    ask = lambda compression: client.ask(
        "generate", model="gpt-image-1.5", prompt="a kettle", output_format="jpeg", output_compression=compression
    )
    fine, coarse = ask(100), ask(10)
    for answer in [fine, coarse]:
        assert [picture.format for picture in answer.pictures] == ["JPEG"]
        assert (answer.charged, len(answer.requests)) == (1, 1)
    length = lambda answer: len(answer.reply["data"][0]["b64_json"])
    assert length(coarse) < length(fine)


def test_ten_pictures_cost_three_credits(client):
    answer = client.ask("generate", model="gpt-image-2", prompt="a chair", n=10)
    assert len({picture.tobytes() for picture in answer.pictures}) == 10
    assert (answer.charged, len(answer.requests)) == (3, 1)


def test_models_are_listed(client):
    answer = client.ask("models")
    assert {"dall-e-2", "dall-e-3", "gpt-image-1", "test-pattern"} <= set(answer.told["models"])
    assert (answer.charged, len(answer.requests)) == (0, 1)


def test_an_idempotency_key_pays_once_and_returns_the_same_pictures(client):
    ask = lambda prompt: client.ask(
        "generate", headers={"Idempotency-Key": "order-1"}, model="gpt-image-1", prompt=prompt, n=2
    )
    first, again = ask("a fox"), ask("a fox")
    assert [picture.tobytes() for picture in first.pictures] == [picture.tobytes() for picture in again.pictures]
    assert first.reply["created"] == again.reply["created"]
    assert (first.charged, again.charged) == (1, 0)
    other = ask("a bear")
    assert (other.error.status, other.error.code) == (422, "idempotency_key_reused")
    assert other.error.kind == client.kind.error(422)
    assert (other.charged, len(other.requests)) == (0, 1)


def test_sixty_four_at_once_spend_exactly_what_is_there(client):
    asked = [client.start("generate", model="dall-e-2", prompt="a fox", size="256x256") for _ in range(64)]
    concurrent.futures.wait(asked, ANSWER_SECONDS_MAX)
    outcomes = collections.Counter(told.result(0).get("error", {}).get("code", "drawn") for told in asked)
    assert outcomes == {"drawn": 15, "insufficient_quota": 49}
    assert client.available == 0
    assert len(client.studio.proxy.of(client.key)) == 64, "nobody asked again"

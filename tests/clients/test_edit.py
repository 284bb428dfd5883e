"""Pictures from pictures, by every client: edits and variations, as files of a form."""

import pytest
from clients import KINDS
from PIL import Image, ImageChops
from uploads import HOLE, SIDE

LISTS = [kind for kind in KINDS if kind.lists]


JPEG_ROUNDING = 3


def outside(picture: Image.Image) -> Image.Image:
    """Returns what is around the hole."""
    picture = picture.convert("RGB")
    picture.paste((0, 0, 0), HOLE)
    return picture


def distance(picture: Image.Image, source: Image.Image) -> int:
    """Returns the largest difference of a colour around the hole."""
    extremes = ImageChops.difference(outside(picture), outside(source)).getextrema()
    return max(high for _, high in extremes)


def changed(picture: Image.Image, source: Image.Image) -> bool:
    """Returns whether anything in the hole differs."""
    pair = [part.convert("RGB").crop(HOLE) for part in [picture, source]]
    return ImageChops.difference(*pair).getbbox() is not None


def check_edited(answer, source, count=1):
    """The hole was drawn anew, differently in each picture; what is around it is the source, bit for bit."""
    pictures, source = answer.pictures, Image.open(source)
    assert [picture.size for picture in pictures] == [(SIDE, SIDE)] * count
    for picture in pictures:
        assert distance(picture, source) == 0
        assert changed(picture, source)
    assert len({picture.tobytes() for picture in pictures}) == count
    assert (answer.charged, len(answer.requests)) == (1, 1)


def test_an_edit_changes_what_the_mask_leaves_transparent_and_nothing_else(client, uploads):
    answer = client.ask(
        "edit", model="dall-e-2", prompt="a red balloon", n=3, size="256x256",
        files={"image": uploads.square, "mask": uploads.mask},
    )
    check_edited(answer, uploads.square, count=3)
    assert client.facts == ["opened", "granted", "held", "captured"]


def test_without_a_mask_the_transparent_part_of_the_picture_is_changed(client, uploads):
    answer = client.ask(
        "edit", model="dall-e-2", prompt="a red balloon", size="256x256", response_format="b64_json",
        files={"image": uploads.hole},
    )
    check_edited(answer, uploads.hole)


@pytest.mark.parametrize("photo", ["photo", "webp", "wide"])
def test_a_gpt_alias_edits_jpeg_and_webp_and_any_shape(client, uploads, photo):
    source = getattr(uploads, photo)
    mask = uploads.mask if photo != "wide" else uploads.save("wide-mask.png", mask_of(source))
    answer = client.ask(
        "edit", model="gpt-image-1", prompt="a red balloon", files={"image": source, "mask": mask}
    )
    (picture,) = answer.pictures
    source = Image.open(source)
    assert picture.size == source.size
    assert changed(picture, source)
    # Two decoders of JPEG agree but for roundings.
    assert distance(picture, source) <= (JPEG_ROUNDING if photo == "photo" else 0)
    assert answer.reply["data"][0]["b64_json"]
    assert (answer.charged, len(answer.requests)) == (1, 1)


def mask_of(source):
    mask = Image.new("RGBA", Image.open(source).size, "black")
    mask.paste((0, 0, 0, 0), HOLE)
    return mask


@pytest.mark.parametrize("client", LISTS, ids=lambda kind: kind.name, indirect=True)
def test_a_list_of_one_picture_is_that_picture(client, uploads):
    answer = client.ask(
        "edit", model="gpt-image-1", prompt="a red balloon", files={"image": [uploads.square], "mask": uploads.mask}
    )
    check_edited(answer, uploads.square)


@pytest.mark.parametrize("client", LISTS, ids=lambda kind: kind.name, indirect=True)
def test_a_list_of_several_is_refused_by_name_and_not_cut_short(client, uploads):
    answer = client.ask(
        "edit", model="gpt-image-1", prompt="a red balloon",
        files={"image": [uploads.square, uploads.photo], "mask": uploads.mask},
    )
    assert (answer.error.status, answer.error.param) == (400, "image")
    assert (answer.charged, len(answer.requests)) == (0, 1)


def test_a_picture_is_varied(client, uploads):
    answer = client.ask("vary", n=3, size="256x256", files={"image": uploads.square})
    assert [picture.size for picture in answer.pictures] == [(SIDE, SIDE)] * 3
    assert len({picture.tobytes() for picture in answer.pictures}) == 3
    assert (answer.charged, len(answer.requests)) == (1, 1)
    assert client.facts == ["opened", "granted", "held", "captured"]


def test_variations_come_as_bytes_and_in_other_sizes(client, uploads):
    answer = client.ask(
        "vary", model="dall-e-2", size="512x512", response_format="b64_json", files={"image": uploads.square}
    )
    assert [picture.size for picture in answer.pictures] == [(512, 512)]
    assert answer.reply["data"][0]["b64_json"]
    assert (answer.charged, len(answer.requests)) == (1, 1)


def test_an_edit_with_an_idempotency_key_pays_once(client, uploads):
    ask = lambda: client.ask(
        "edit", headers={"Idempotency-Key": "edit-1"}, model="dall-e-2", prompt="a red balloon", size="256x256",
        files={"image": uploads.square, "mask": uploads.mask},
    )
    first, again = ask(), ask()
    assert [picture.tobytes() for picture in first.pictures] == [picture.tobytes() for picture in again.pictures]
    assert (first.charged, again.charged) == (1, 0)

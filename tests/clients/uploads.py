"""Pictures to upload, each with what is right or wrong with it."""

import pathlib
import random

import pytest
from PIL import Image, ImageDraw

SIDE = 256
# Where the mask and the hole of the picture are: left, upper, right, lower; the last two are outside.
HOLE = (128, 32, 224, 128)


class Uploads:
    """The files by what they are."""

    def __init__(self, directory: pathlib.Path):
        self.directory = directory
        picture = gradient(SIDE, SIDE)
        self.square = self.save("square.png", picture)
        self.hole = self.save("hole.png", holed(picture))
        self.mask = self.save("mask.png", holed(Image.new("RGB", (SIDE, SIDE), "black")))
        self.small_mask = self.save("small-mask.png", holed(Image.new("RGB", (SIDE // 2, SIDE // 2), "black")))
        self.wide = self.save("wide.png", gradient(SIDE, SIDE // 2))
        self.photo = self.save("photo.jpg", picture)
        self.webp = self.save("photo.webp", picture)
        # Noise cannot be packed: some 4.3 MB.
        noise = random.Random(1).randbytes(1200 * 1200 * 3)
        self.large = self.save("large.png", Image.frombytes("RGB", (1200, 1200), noise))
        self.broken = directory / "broken.png"
        self.broken.write_bytes(self.square.read_bytes()[:200])

    def save(self, name: str, picture: Image.Image) -> pathlib.Path:
        picture.save(self.directory / name)
        return self.directory / name


def gradient(width: int, height: int) -> Image.Image:
    picture = Image.new("RGB", (width, height))
    picture.putdata([(x * 255 // width, y * 255 // height, 96) for y in range(height) for x in range(width)])
    return picture


def holed(picture: Image.Image) -> Image.Image:
    """Returns the picture with a part that is fully transparent: what an edit may change."""
    alpha = Image.new("L", picture.size, 255)
    left, upper, right, lower = HOLE
    ImageDraw.Draw(alpha).rectangle((left, upper, right - 1, lower - 1), fill=0)
    picture = picture.convert("RGBA")
    picture.putalpha(alpha)
    return picture


@pytest.fixture(scope="session")
def uploads(tmp_path_factory):
    return Uploads(tmp_path_factory.mktemp("uploads"))

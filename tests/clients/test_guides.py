"""The guides of the clients, done by the letter: every program in them is run, and must do what the guide says.

What is to be done with a block is in the words after its language, which no reader sees:

- `run`: it is run by the shell; `run=NAME`: it is saved as NAME and run by what runs that language. `with=VERSION`
  says which client of several it is for;
- `env`: it is run by the shell, and its exports hold for all that follows;
- `file=NAME`: it is saved as NAME.

A block of `text` right after one that was run is what that one must print, `…` standing for anything. Every picture
that a guide names in backticks must be there at its end.
"""

import dataclasses
import os
import pathlib
import re
import shutil
import subprocess

import pytest
from clients import HERE, VENVS
from PIL import Image
from studio import MEDICI, ROOT

GUIDES = ROOT / "docs/guide"
RUST = HERE / "rust"
BLOCK = re.compile(r"^```(\w+)([^\n`]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
CREDITS = 100
SECONDS_MAX = 120


@dataclasses.dataclass(frozen=True)
class Block:
    """A fenced block of a guide."""

    language: str
    orders: dict
    text: str
    # What it must print; None where the guide does not say.
    prints: str | None


def blocks(guide: str) -> list[Block]:
    found = []
    matches = list(BLOCK.finditer(guide))
    for match, following in zip(matches, [*matches[1:], None]):
        language, words, text = match.groups()
        orders = dict(word.partition("=")[::2] for word in words.split())
        told = following and following[1] == "text" and not guide[match.end() : following.start()].strip()
        found.append(Block(language, orders, text, following[3] if told else None))
    return found


class Reader:
    """Somebody who follows a guide in an empty directory."""

    def __init__(self, directory: pathlib.Path, studio):
        self.directory, self.studio = directory, studio
        programs = directory.parent / "bin"
        programs.mkdir()
        (programs / "medici").symlink_to(MEDICI.resolve())
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("MEDICI_", "OPENAI_"))},
            "PATH": f"{programs}:{os.environ['PATH']}",
            "MEDICI_DATA": str(studio.data.resolve()),
            # What was built for the driver is not built again.
            "CARGO_TARGET_DIR": str(RUST / "target"),
            "CARGO_PROFILE_DEV_DEBUG": "false",
        }
        (directory / "node_modules").symlink_to(HERE / "node/node_modules")
        shutil.copy(RUST / "Cargo.lock", directory)

    def follow(self, block: Block):
        orders = block.orders
        if name := orders.get("run") or orders.get("file"):
            path = self.directory / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text)
        if "env" in orders:
            printed = self.run("bash", "-euc", f"{block.text}\nenv -0")
            exported = dict(line.split("=", 1) for line in printed.split("\0") if line)
            assert "OPENAI_BASE_URL" in exported and exported["OPENAI_API_KEY"].startswith("sk-m-")
            # Only the port differs from the guide's.
            self.environment |= exported | {"OPENAI_BASE_URL": f"{self.studio.url}/v1"}
        if "run" in orders:
            printed = self.run(*self.command(block))
            if block.prints is not None:
                pattern = re.escape(block.prints.strip()).replace("…", ".*")
                assert re.fullmatch(pattern, printed.strip()), (block, printed)

    def command(self, block: Block) -> list:
        name = block.orders["run"]
        match block.language:
            case "sh":
                return ["bash", "-euo", "pipefail", "-c", block.text]
            case "python":
                return [VENVS / block.orders.get("with", "3.54.0") / "bin/python", name]
            case "js":
                return ["node", name]
            case "rust":
                return ["cargo", "run", "--quiet", "--offline", "--bin", pathlib.Path(name).stem]
        raise AssertionError(f"nothing runs {block.language}")

    def run(self, *command) -> str:
        done = subprocess.run(
            command, cwd=self.directory, env=self.environment, capture_output=True, text=True, timeout=SECONDS_MAX
        )
        assert done.returncode == 0, (command, done.stdout, done.stderr)
        return done.stdout


@pytest.mark.parametrize("name", ["python", "node", "rust", "curl"])
def test_a_newcomer_who_follows_the_guide_gets_what_it_says(name, pocket, tmp_path):
    guide = (GUIDES / f"{name}.md").read_text()
    directory = tmp_path / "work"
    directory.mkdir()
    pocket.grant("owner", CREDITS)
    reader = Reader(directory, pocket)
    for linked in re.findall(r"\]\((\w+\.png)\)", guide):
        shutil.copy(GUIDES / linked, directory)
    todo = blocks(guide)
    assert sum("run" in block.orders for block in todo) >= 6, "pictures, edit, variation, stream, errors, repeats"
    for block in todo:
        reader.follow(block)
    pictures = set(re.findall(r"`([\w-]+\.png)`", guide))
    assert len(pictures) >= 5
    for picture in pictures:
        Image.open(directory / picture).load()


def test_everything_that_a_guide_links_to_is_there():
    for guide in GUIDES.glob("*.md"):
        for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", guide.read_text()):
            assert (GUIDES / link).exists(), f"{guide.name}: {link}"

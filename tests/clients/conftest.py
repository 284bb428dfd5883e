"""A release binary serving in an empty directory, once for all tests."""

import json
import os
import pathlib
import re
import subprocess

import pytest

ROOT = pathlib.Path(__file__).parents[2]
MEDICI = pathlib.Path(os.environ.get("TEST_BINARY", ROOT / "target/release/medici"))


class Studio:
    """A running server and the command line beside it."""

    def __init__(self, directory: pathlib.Path, engine: str):
        assert MEDICI.exists(), f"{MEDICI} is missing: cargo build --release"
        self.data = directory / "data"
        self.log = open(directory / "log", "w+")
        arguments = ["--data", self.data, "serve", "--listen", "127.0.0.1:0", "--engine", engine]
        self.process = subprocess.Popen(
            [MEDICI, *arguments], cwd=directory, stdout=subprocess.PIPE, stderr=self.log, text=True
        )
        self.sign_in_url = self.process.stdout.readline().strip()
        assert self.sign_in_url.startswith("http://127.0.0.1:"), (self.sign_in_url, self.read_log())
        self.url = re.match(r"http://[^/]+", self.sign_in_url)[0]
        for line in self.process.stdout:
            if "admin key" in line:
                self.admin_key = line.split()[-1]
            if "OpenAI client" in line:
                break

    def run(self, *arguments: str, code: int = 0):
        """Runs a command on this studio's data and returns what it printed as JSON."""
        done = subprocess.run([MEDICI, "--data", self.data, *arguments, "--json"], capture_output=True, text=True)
        assert done.returncode == code, (arguments, done.stdout, done.stderr)
        return json.loads(done.stdout)

    def account(self, name: str) -> str:
        """Opens an account with its 15 free credits and returns an API key of it."""
        self.run("account", "create", name)
        return self.run("key", "create", "--account", name)["secret"]

    def read_log(self) -> str:
        self.log.seek(0)
        return self.log.read()

    def stop(self):
        self.process.terminate()
        assert self.process.wait(30) == 0, self.read_log()


@pytest.fixture(scope="session")
def pocket(tmp_path_factory):
    """A studio that draws with the pocket model."""
    studio = Studio(tmp_path_factory.mktemp("pocket"), "pocket")
    yield studio
    studio.stop()


@pytest.fixture(scope="session")
def pattern(tmp_path_factory):
    """A studio that draws the test pattern, which fails on demand."""
    studio = Studio(tmp_path_factory.mktemp("pattern"), "test-pattern")
    yield studio
    studio.stop()

"""A running server, the command line beside it, and what it says of an account."""

import decimal
import itertools
import json
import os
import pathlib
import re
import subprocess
import urllib.error
import urllib.request

from proxy import Proxy

ROOT = pathlib.Path(__file__).parents[2]
MEDICI = pathlib.Path(os.environ.get("TEST_BINARY", ROOT / "target/release/medici"))


class Studio:
    """A server in an empty directory, with a proxy before it that keeps the requests."""

    def __init__(self, directory: pathlib.Path, engine: str, **settings):
        assert MEDICI.exists(), f"{MEDICI} is missing: cargo build --release"
        self.data = directory / "data"
        self.log = open(directory / "log", "w+")
        self.numbers = itertools.count(1)
        command = ["--data", self.data, "serve", "--listen", "127.0.0.1:0", "--engine", engine]
        # Nothing of whoever runs the tests configures what is tested.
        environment = {name: value for name, value in os.environ.items() if not name.startswith("MEDICI_")}
        environment |= {f"MEDICI_{name.upper()}": str(value) for name, value in settings.items()}
        self.process = subprocess.Popen(
            [MEDICI, *command], cwd=directory, env=environment, stdout=subprocess.PIPE, stderr=self.log, text=True
        )
        self.sign_in_url = self.process.stdout.readline().strip()
        assert self.sign_in_url.startswith("http://127.0.0.1:"), (self.sign_in_url, self.read_log())
        self.url = re.match(r"http://[^/]+", self.sign_in_url)[0]
        for line in self.process.stdout:
            if "admin key" in line:
                self.admin_key = line.split()[-1]
            if "OpenAI client" in line:
                break
        self.port = int(self.url.rsplit(":", 1)[1])
        self.proxy = Proxy(self.port)

    def run(self, *arguments: str, code: int = 0):
        """Runs a command on this studio's data and returns what it printed as JSON."""
        done = subprocess.run([MEDICI, "--data", self.data, *arguments, "--json"], capture_output=True, text=True)
        assert done.returncode == code, (arguments, done.stdout, done.stderr)
        return json.loads(done.stdout)

    def ask(self, method: str, path: str, key: str | None = None, body=None, **headers: str):
        """Asks the server itself, past the proxy. Returns its answer's body, and its headers."""
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        headers["Authorization"] = f"Bearer {key or self.admin_key}"
        if body is not None:
            headers["Content-Type"] = "application/json"
            body = json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data=body, headers=headers, method=method)
        try:
            with urllib.request.urlopen(request) as reply:
                return json.load(reply), reply.headers
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{method} {path}: {error.code} {error.read().decode()}") from error

    def account(self, name: str, plan: str = "free") -> str:
        """Opens an account, by default with its 15 free credits, and returns an API key of it."""
        self.ask("POST", "/api/accounts", body={"name": name, "plan": plan})
        return self.ask("POST", f"/api/accounts/{name}/keys", body={})[0]["secret"]

    def grant(self, name: str, credits: int):
        number = next(self.numbers)
        body = {"credits": str(credits), "class": "promo"}
        self.ask("POST", f"/api/accounts/{name}/grants", body=body, Idempotency_Key=f"grant-{number}")

    def available(self, key: str) -> decimal.Decimal:
        return decimal.Decimal(self.ask("GET", "/api/credits", key)[0]["available"])

    def facts(self, key: str) -> list[str]:
        """What happened to the account, oldest first, without the extensions that say nothing about credits."""
        entries = self.ask("GET", "/api/credits/entries?limit=100", key)[0]["entries"]
        return [entry["fact"] for entry in reversed(entries) if entry["fact"] != "extended"]

    def read_log(self) -> str:
        self.log.seek(0)
        return self.log.read()

    def stop(self):
        self.proxy.stop()
        self.process.terminate()
        assert self.process.wait(30) == 0, self.read_log()

"""A client that asks a studio, and what came of it: pictures, credits, requests."""

import base64
import dataclasses
import decimal
import io
import json
import urllib.request

from clients import ANSWER_SECONDS_MAX, Driver, Kind
from PIL import Image
from proxy import Seen
from studio import Studio


@dataclasses.dataclass(frozen=True)
class Told:
    """An error as a client tells it."""

    kind: str
    status: int | None
    message: str
    type: str | None
    code: str | None
    param: str | None
    request_id: str | None


@dataclasses.dataclass(frozen=True)
class Answer:
    """What came of asking once."""

    told: dict
    charged: decimal.Decimal
    requests: list[Seen]
    raw_5xx: bool

    @property
    def reply(self) -> dict:
        assert "error" not in self.told, self.told["error"]
        return self.told["reply"]

    @property
    def pictures(self) -> list[Image.Image]:
        return [decoded(fetched(item)) for item in self.reply["data"]]

    @property
    def events(self) -> list[dict]:
        assert "error" not in self.told, self.told["error"]
        return self.told["events"]

    @property
    def error(self) -> Told:
        assert "error" in self.told, self.told
        error = dict(self.told["error"])
        if self.raw_5xx and (error["status"] or 0) >= 500:
            # Whoever uses this client reads the body for himself.
            error |= json.loads(error["message"])["error"]
        names = ["status", "message", "type", "code", "param", "request_id"]
        return Told(error["class"], *[error.get(name) for name in names])


class Client:
    """A client with an account of its own at a studio."""

    def __init__(self, kind: Kind, driver: Driver, studio: Studio, account: str, plan: str):
        self.kind, self.driver, self.studio, self.account = kind, driver, studio, account
        self.key = studio.account(account, plan)

    def start(self, verb, *, key=..., retries=None, timeout=None, headers=None, files=None, **arguments):
        """Begins to ask, and returns what becomes the client's answer."""
        return self.driver.ask(
            verb=verb, base_url=f"{self.studio.proxy.url}/v1", key=self.key if key is ... else key,
            retries=retries, timeout=timeout, headers=headers or {}, arguments=arguments,
            files={name: paths(given) for name, given in (files or {}).items()},
        )

    def ask(self, verb, **given) -> Answer:
        """Asks and waits for the answer."""
        key = given.get("key", self.key)
        before, seen = self.available, len(self.studio.proxy.of(key))
        told = self.start(verb, **given).result(ANSWER_SECONDS_MAX)
        requests = self.studio.proxy.of(key)[seen:]
        return Answer(told, before - self.available, requests, self.kind.raw_5xx)

    def with_account(self, plan: str) -> "Client":
        """Returns the same client with an account on another plan."""
        return Client(self.kind, self.driver, self.studio, f"{self.account}-{plan}", plan)

    @property
    def available(self) -> decimal.Decimal:
        return self.studio.available(self.key)

    @property
    def facts(self) -> list[str]:
        return self.studio.facts(self.key)


def paths(given):
    return [str(path) for path in given] if isinstance(given, list) else str(given)


def fetched(item: dict) -> bytes:
    """Returns a picture's file, however it was handed over."""
    if item.get("b64_json"):
        assert not item.get("url")
        return base64.b64decode(item["b64_json"], validate=True)
    with urllib.request.urlopen(item["url"]) as reply:
        return reply.read()


def decoded(file: bytes) -> Image.Image:
    picture = Image.open(io.BytesIO(file))
    picture.load()
    return picture

"""The clients that must work unchanged, each driven as a program of its own."""

import concurrent.futures
import dataclasses
import json
import pathlib
import subprocess
import sys
import threading

HERE = pathlib.Path(__file__).parent
VENVS = HERE.parents[1] / ".venv-clients"
# The longest that an answer may take: longer than any retries of any client here.
ANSWER_SECONDS_MAX = 60


@dataclasses.dataclass(frozen=True)
class Kind:
    """A client, and what is its own way and not the server's."""

    name: str
    command: tuple
    # What it calls an error of a status; `other` for those not listed.
    errors: dict
    other: str
    timeout: str
    # What it calls an error that comes in a stream; None if it streams no pictures.
    stream_error: str | None
    # How often it asks in all where another try may help.
    tries: int
    # Whether it stops at `x-should-retry: false`.
    obeys: bool = True
    # Whether it asks again after its own timeout, saying that it does.
    asks_again: bool = False
    # Whether it can ask again with a file.
    repeats_files: bool = False
    # Whether it can send several files as `image[]`.
    lists: bool = True
    # Whether it tells the id of a refused request.
    tells_id: bool = True
    # Whether it hands over the body of a 5xx unread, as the message.
    raw_5xx: bool = False
    # Whether it sends a request without a key at all.
    keyless: bool = True

    def error(self, status: int) -> str:
        """Returns what it calls an error of a status."""
        return self.errors.get(status, self.other.format(status=status))


OPENAI_ERRORS = {
    400: "BadRequestError", 401: "AuthenticationError", 403: "PermissionDeniedError", 404: "NotFoundError",
    422: "UnprocessableEntityError", 429: "RateLimitError", 500: "InternalServerError", 503: "InternalServerError",
}
OPENAI_0_ERRORS = {
    400: "InvalidRequestError", 401: "AuthenticationError", 403: "PermissionError", 404: "InvalidRequestError",
    429: "RateLimitError", 503: "ServiceUnavailableError",
}


def python(version: str, driver: str, **own) -> Kind:
    return Kind(f"python-{version}", (VENVS / version / "bin/python", HERE / "drivers" / driver), **own)


KINDS = [
    python(
        "0.27.10", "openai_python_0.py", errors=OPENAI_0_ERRORS, other="APIError", timeout="Timeout",
        stream_error=None, tries=1, lists=False, keyless=False,
    ),
    python(
        "1.109.1", "openai_python.py", errors=OPENAI_ERRORS, other="APIStatusError", timeout="APITimeoutError",
        stream_error="APIError", tries=3, asks_again=True, repeats_files=True,
    ),
    python(
        "3.54.0", "openai_python.py", errors=OPENAI_ERRORS, other="APIStatusError", timeout="APITimeoutError",
        stream_error="APIError", tries=3, asks_again=True, repeats_files=True,
    ),
    Kind(
        "node-6.49.0", ("node", HERE / "node/driver.mjs"), errors=OPENAI_ERRORS, other="APIError",
        timeout="APIConnectionTimeoutError", stream_error="APIError", tries=3, asks_again=True,
    ),
    Kind(
        "async-openai-0.43", (HERE / "rust/target/debug/driver",), errors={}, other="ApiError",
        timeout="Reqwest(timeout)", stream_error="JSONDeserialize", tries=4, obeys=False, tells_id=False, raw_5xx=True,
    ),
    Kind(
        "curl", (sys.executable, HERE / "drivers/curl.py"), errors={}, other="HTTP {status}", timeout="curl: (28)",
        stream_error="event", tries=1,
    ),
]


class Driver:
    """A running client."""

    def __init__(self, kind: Kind):
        assert pathlib.Path(kind.command[-1]).exists(), f"{kind.command[-1]} is missing: run ./test"
        self.process = subprocess.Popen(
            kind.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        self.answers, self.sending, self.last = {}, threading.Lock(), 0
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def ask(self, **command) -> concurrent.futures.Future:
        """Gives a command, and returns what becomes the answer."""
        answer = concurrent.futures.Future()
        with self.sending:
            self.last += 1
            self.answers[self.last] = answer
            self.process.stdin.write(json.dumps({"id": self.last, **command}) + "\n")
        return answer

    def read(self):
        for line in self.process.stdout:
            told = json.loads(line)
            answer = self.answers.pop(told["id"])
            if "broken" in told:
                answer.set_exception(AssertionError(told["broken"]))
            else:
                answer.set_result(told)
        for answer in self.answers.values():
            answer.set_exception(AssertionError(f"{self.process.args} ended"))

    def stop(self):
        self.process.stdin.close()
        assert self.process.wait(ANSWER_SECONDS_MAX) == 0
        self.reader.join()

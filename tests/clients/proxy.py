"""A proxy that passes every byte on and keeps the heads of the requests that it saw: what really went to the server."""

import collections
import contextlib
import dataclasses
import io
import socket
import threading
import time

PIECE_BYTES = 1 << 16
HEAD_LINE_BYTES_MAX = 1 << 16


class Gone(Exception):
    """The client ended its connection."""


@dataclasses.dataclass(frozen=True)
class Seen:
    """The head of a request."""

    method: str
    path: str
    headers: dict

    @property
    def key(self) -> str | None:
        """The API key that it came with."""
        scheme, _, key = self.headers.get("authorization", "").partition(" ")
        return key if scheme == "Bearer" else None


class Proxy:
    """Listens on this machine and passes on to `port`."""

    def __init__(self, port: int):
        self.port = port
        self.seen: list[Seen] = []
        self.hang_ups = collections.defaultdict(list)
        self.listening = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.url = f"http://127.0.0.1:{self.listening.getsockname()[1]}"
        threading.Thread(target=self.accept, daemon=True).start()

    def hang_up(self, key: str, seconds: float):
        """Cuts the connection of the next request with this key so long after it was passed on."""
        self.hang_ups[key].append(seconds)

    def of(self, key: str | None) -> list[Seen]:
        """Returns the requests that came with a key."""
        return [seen for seen in list(self.seen) if seen.key == key]

    def stop(self):
        # Wakes the thread that waits for connections; those that are open end with their clients.
        self.listening.shutdown(socket.SHUT_RDWR)
        self.listening.close()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listening.accept()
                server = socket.create_connection(("127.0.0.1", self.port))
                for run in [self.requests, replies]:
                    threading.Thread(target=run, args=(client, server), daemon=True).start()

    def requests(self, client: socket.socket, server: socket.socket):
        """Passes requests on, one after the other, until the client leaves."""
        reads = client.makefile("rb")
        try:
            while True:
                seen = self.request(reads, server)
                if self.hang_ups.get(seen.key):
                    time.sleep(self.hang_ups[seen.key].pop(0))
                    break
        except Gone:
            pass
        except OSError:
            # The server takes no more of this, and has said why: the client must be able to read it.
            with contextlib.suppress(OSError):
                while reads.read1(PIECE_BYTES):
                    pass
        # Whoever goes away goes for both: the server must see that its client has left.
        for end in [client, server]:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def request(self, reads: io.BufferedReader, server: socket.socket) -> Seen:
        """Passes one request on, whole."""
        lines = list(iter(lambda: line(reads), b"\r\n"))
        first, *rest = [text.decode("latin-1").rstrip("\r\n") for text in lines]
        headers = {name.lower(): value for name, _, value in (text.partition(": ") for text in rest)}
        method, path, _ = first.split(" ")
        seen = Seen(method, path, headers)
        self.seen.append(seen)
        server.sendall(b"".join([*lines, b"\r\n"]))
        if headers.get("transfer-encoding") == "chunked":
            chunks(reads, server)
        else:
            pass_on(reads, server, int(headers.get("content-length", 0)))
        return seen


def line(reads: io.BufferedReader) -> bytes:
    try:
        found = reads.readline(HEAD_LINE_BYTES_MAX)
    except OSError as error:
        raise Gone from error
    if not found.endswith(b"\n"):
        raise Gone
    return found


def chunks(reads: io.BufferedReader, server: socket.socket):
    size = None
    while size != 0:
        found = line(reads)
        size = int(found.split(b";")[0], 16)
        server.sendall(found)
        pass_on(reads, server, size + 2)


def pass_on(reads: io.BufferedReader, server: socket.socket, count: int):
    while count > 0:
        try:
            piece = reads.read1(min(count, PIECE_BYTES))
        except OSError as error:
            raise Gone from error
        if not piece:
            raise Gone
        count -= len(piece)
        server.sendall(piece)


def replies(client: socket.socket, server: socket.socket):
    """Passes back whatever the server says, until it has no more to say."""
    with contextlib.suppress(OSError):
        while piece := server.recv(PIECE_BYTES):
            client.sendall(piece)
    with contextlib.suppress(OSError):
        client.shutdown(socket.SHUT_WR)

"""A proxy that passes every byte on and keeps the heads of the requests that it saw: what really went to the server."""

import asyncio
import collections
import dataclasses
import threading

HEAD_BYTES_MAX = 1 << 20


class ClientGone(Exception):
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
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        listening = asyncio.start_server(self.connection, "127.0.0.1", 0, limit=HEAD_BYTES_MAX)
        self.server = asyncio.run_coroutine_threadsafe(listening, self.loop).result()
        self.url = f"http://127.0.0.1:{self.server.sockets[0].getsockname()[1]}"

    def hang_up(self, key: str, seconds: float):
        """Cuts the connection of the next request with this key so long after its head."""
        self.hang_ups[key].append(seconds)

    def of(self, key: str | None) -> list[Seen]:
        """Returns the requests that came with a key."""
        return [seen for seen in self.seen if seen.key == key]

    def stop(self):
        async def stop():
            self.server.close()
            others = asyncio.all_tasks() - {asyncio.current_task()}
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)

        asyncio.run_coroutine_threadsafe(stop(), self.loop).result()
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()

    async def connection(self, client_reads, client_writes):
        server_reads, server_writes = await asyncio.open_connection("127.0.0.1", self.port)
        back = asyncio.ensure_future(copy(server_reads, client_writes))
        try:
            while True:
                seen = await self.request(client_reads, server_writes)
                if self.hang_ups.get(seen.key):
                    await asyncio.sleep(self.hang_ups[seen.key].pop(0))
                    return
        except (ClientGone, asyncio.CancelledError):
            pass
        except ConnectionError:
            # The server takes no more of this, and may have said why.
            await back
        finally:
            # Whoever goes away goes for both: the server must see that its client has left.
            back.cancel()
            for writes in [client_writes, server_writes]:
                writes.transport.abort()

    async def request(self, reads, writes) -> Seen:
        """Passes one request on, whole."""
        head = await until(reads, b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines if line)}
        method, path, _ = first.split(" ")
        seen = Seen(method, path, headers)
        self.seen.append(seen)
        writes.write(head)
        if headers.get("transfer-encoding") == "chunked":
            await chunks(reads, writes)
        else:
            await pass_on(reads, writes, int(headers.get("content-length", 0)))
        return seen


async def until(reads, end):
    try:
        return await reads.readuntil(end)
    except (asyncio.IncompleteReadError, ConnectionError) as error:
        raise ClientGone from error


async def chunks(reads, writes):
    size = None
    while size != 0:
        line = await until(reads, b"\r\n")
        size = int(line.split(b";")[0], 16)
        writes.write(line)
        await pass_on(reads, writes, size + 2)


async def pass_on(reads, writes, count):
    while count > 0:
        try:
            piece = await reads.read(min(count, 1 << 16))
        except ConnectionError as error:
            raise ClientGone from error
        if not piece:
            raise ClientGone
        count -= len(piece)
        writes.write(piece)
        await writes.drain()


async def copy(reads, writes):
    while piece := await reads.read(1 << 16):
        writes.write(piece)
        await writes.drain()
    writes.close()

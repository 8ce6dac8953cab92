"""A reverse proxy like nginx or Caddy in front of the product: HTTP, streams and websockets.

It serves what lies behind it under a path, and passes that path on or removes it.
"""

import asyncio
import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Final, Literal
from urllib.parse import urlsplit

from tests.support.ports import free_ports

MOST_HEAD: Final = 65_536
CHUNK: Final = 65_536
LOOK_S: Final = 0.02
Upgrades = Literal["pass", "refuse", "swallow", "slow"]


@dataclass
class ReverseProxy:
    """The proxy's settings, which may be changed while it runs, and what it saw."""

    target: str
    """Address of the server behind it."""
    base_path: str = ""
    """The path under which it serves; anything else is 404."""
    strip: bool = False
    """Whether it removes the base path before it passes a request on."""
    upgrades: Upgrades = "pass"
    """What it does with a request for a websocket. One that is swallowed is never answered; with
    "slow" it makes this request and all later ones wait until this is "pass"."""
    url: str = ""
    """Address of the proxy itself, with the base path."""
    failed: list[str] = field(default_factory=list)
    """Requests that were answered with an error status."""
    targets: list[str] = field(default_factory=list)
    """All addresses that were asked for."""
    _waits: bool = False
    _connections: dict[asyncio.Task[None], asyncio.StreamWriter] = field(default_factory=dict)

    def connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Begin to serve a connection."""
        task = asyncio.get_running_loop().create_task(self._answer(reader, writer))
        self._connections[task] = writer

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection; each carries one request."""
        task = asyncio.current_task()
        assert task
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                head = await reader.readuntil(b"\r\n\r\n")
                await self._pass(head.decode("latin-1"), reader, writer)
        finally:
            await _closed(writer)
            self._connections.pop(task, None)

    async def close(self) -> None:
        """End all connections."""
        connections = dict(self._connections)
        for task in connections:
            task.cancel()
        await asyncio.gather(*connections, return_exceptions=True)
        for writer in connections.values():  # also of a task that was cancelled before it began
            writer.transport.abort()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def _pass(
        self, head: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        first, *lines = head.rstrip("\r\n").split("\r\n")
        method, target, version = first.split(" ")
        self.targets.append(target)
        is_upgrade = any(line.lower().startswith("upgrade:") for line in lines)
        self._waits = self._waits or (is_upgrade and self.upgrades == "slow")
        while self._waits and self.upgrades == "slow":
            await asyncio.sleep(LOOK_S)
        path = target.partition("?")[0]
        if path != self.base_path and not path.startswith(f"{self.base_path}/"):
            await self._refuse(writer, f"{method} {target}", 404)
        elif is_upgrade and self.upgrades == "refuse":
            await self._refuse(writer, f"{method} {target}", 400)
        elif is_upgrade and self.upgrades == "swallow":
            await reader.read()  # until the browser gives up
        else:
            if self.strip:
                target = target[len(self.base_path) :] or "/"
            kept = [
                line
                for line in lines
                if is_upgrade or not line.lower().startswith(("connection:", "keep-alive:"))
            ]
            closing = [] if is_upgrade else ["Connection: close"]
            sent = "\r\n".join([f"{method} {target} {version}", *kept, *closing, "", ""])
            address = urlsplit(self.target)
            behind, to = await asyncio.open_connection(address.hostname, address.port)
            to.write(sent.encode("latin-1"))
            back = asyncio.create_task(self._back(f"{method} {target}", behind, writer))
            forth = asyncio.create_task(_pump(reader, to))
            try:
                await asyncio.wait([back, forth], return_when=asyncio.FIRST_COMPLETED)
                if not back.done() and not is_upgrade and method in {"POST", "PUT", "PATCH"}:
                    await back
            finally:
                for task in (back, forth):
                    task.cancel()
                await asyncio.gather(back, forth, return_exceptions=True)
                await _closed(to)

    async def _back(
        self, call: str, behind: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        status = await behind.readline()
        if int(status.split(b" ")[1]) >= 400:
            self.failed.append(f"{call}: {status.decode('latin-1').strip()}")
        writer.write(status)
        await _pump(behind, writer)

    async def _refuse(self, writer: asyncio.StreamWriter, call: str, status: int) -> None:
        self.failed.append(f"{call}: {status} of the proxy")
        writer.write(f"HTTP/1.1 {status} No\r\nContent-Length: 0\r\n".encode())
        writer.write(b"Connection: close\r\n\r\n")
        await writer.drain()


async def _closed(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while chunk := await reader.read(CHUNK):
        writer.write(chunk)
        await writer.drain()


@contextmanager
def reverse_proxy(
    target: str, base_path: str = "", *, strip: bool = False, upgrades: Upgrades = "pass"
) -> Iterator[ReverseProxy]:
    """Run it on a free port."""
    [port] = free_ports(1)
    proxy = ReverseProxy(target, base_path, strip, upgrades)
    proxy.url = f"http://127.0.0.1:{port}{base_path}"
    stop = asyncio.Event()
    loops: queue.SimpleQueue[asyncio.AbstractEventLoop] = queue.SimpleQueue()

    async def serve() -> None:
        server = await asyncio.start_server(proxy.connect, "127.0.0.1", port, limit=MOST_HEAD)
        loops.put(asyncio.get_running_loop())
        await stop.wait()
        server.close()
        await proxy.close()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), name=f"reverse-proxy-{port}")
    thread.start()
    loop = loops.get(timeout=60)
    try:
        yield proxy
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(timeout=60)

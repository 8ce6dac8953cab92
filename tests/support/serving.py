"""Serves an ASGI application on a real loopback port, within a `with` block."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import uvicorn

from tests.support.ports import free_ports
from tests.support.waiting import until

LOOK_S: Final = 0.01
GRACE_S: Final = 3.0
"""Time that open requests have to end once the server is stopped."""


class PromptServer(uvicorn.Server):
    """A server that notices a stop at once.

    uvicorn's own looks every 0.1 s, and lets 0.1 s pass after it has shut its connections.
    """

    async def main_loop(self) -> None:
        await self.on_tick(0)  # makes the headers that all answers have
        while not self.should_exit:
            await asyncio.sleep(LOOK_S)

    async def shutdown(self, sockets: Any = None) -> None:
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        try:
            async with asyncio.timeout(GRACE_S):
                while self.server_state.connections or self.server_state.tasks:
                    await asyncio.sleep(LOOK_S)
        except TimeoutError:
            for task in self.server_state.tasks:
                task.cancel()
        await self.lifespan.shutdown()


@contextmanager
def serving(app: Any, *, before_stop: Callable[[], None] = lambda: None) -> Iterator[str]:
    """Return the address of a server, such as http://127.0.0.1:14001."""
    [port] = free_ports(1)
    server = PromptServer(
        uvicorn.Config(app, port=port, log_level="warning", ws="none", proxy_headers=False)
    )
    thread = threading.Thread(target=server.run, name=f"server-{port}")
    thread.start()
    try:
        until(lambda: server.started or not thread.is_alive(), "the server to start", timeout=20)
        yield f"http://127.0.0.1:{port}"
    finally:
        before_stop()
        server.should_exit = True
        thread.join(timeout=60)

"""An ASGI application on a real loopback port, for the length of a `with`."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn

from tests.support.ports import free_ports
from tests.support.waiting import until


@contextmanager
def serving(app: Any) -> Iterator[str]:
    """The server's address, such as http://127.0.0.1:40001."""
    [port] = free_ports(1)
    config = uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning", ws="none")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, name=f"server-{port}")
    thread.start()
    try:
        until(lambda: server.started, "the server to start", timeout=10)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()

"""Serves the files of a folder on a real loopback port, within a `with` block."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


@dataclass
class Server:
    """Address of the files, and which of them were requested."""

    url: str
    """Without a slash at the end."""
    paths: list[str] = field(default_factory=list)


@contextmanager
def serving(folder: Path) -> Iterator[Server]:
    """Serve a folder."""
    server = Server("")

    class Handler(SimpleHTTPRequestHandler):
        def do_GET(self) -> None:
            server.paths.append(self.path)
            super().do_GET()

        def log_message(self, format: str, *args: object) -> None:
            """Log nothing: the tests look at `paths`."""

    http = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder)))
    server.url = f"http://127.0.0.1:{http.server_port}"
    thread = threading.Thread(target=http.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        thread.join()
        http.server_close()

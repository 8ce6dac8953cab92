"""A real receiver of alerts: an HTTP server on this machine that answers as a test tells it to."""

import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.support.waiting import until


@dataclass(frozen=True)
class Received:
    """One request."""

    path: str
    headers: dict[str, str]
    """By their names in lower case."""
    body: bytes

    @property
    def content(self) -> dict[str, Any]:
        """The body's JSON."""
        found: dict[str, Any] = json.loads(self.body)
        return found


@dataclass
class Receiver:
    """The server; `answers` are used up one after the other, then it answers 200."""

    port: int = 0
    scheme: str = "http"
    answers: list[Callable[[BaseHTTPRequestHandler], None] | int] = field(default_factory=list)
    received: list[Received] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)
    """Ends the answers that hang."""

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"{self.scheme}://127.0.0.1:{self.port}/hook?key=sesame"

    @property
    def host(self) -> str:
        """As LOSSBOARD_ALERT_HOSTS lists it."""
        return f"private:127.0.0.1:{self.port}"

    def hang(self, _: BaseHTTPRequestHandler) -> None:
        """Give no answer until the end, or until it is released."""
        self.released.wait()

    def wait_for(self, count: int) -> list[Received]:
        """Wait for so many requests."""
        until(lambda: len(self.received) >= count, f"{count} requests")
        return self.received


def redirect(to: str) -> Callable[[BaseHTTPRequestHandler], None]:
    """Return an answer that leads elsewhere."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(302)
        request.send_header("Location", to)
        request.send_header("Content-Length", "0")
        request.end_headers()

    return answer


def huge(request: BaseHTTPRequestHandler) -> None:
    """Answer with 10 MB, or as much as is read of it."""
    request.send_response(200)
    request.send_header("Content-Length", str(10_000_000))
    request.end_headers()
    for _ in range(100):
        request.wfile.write(bytes(100_000))


@contextmanager
def running_receiver(tls: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    """Run one, with encryption if there is a context for it."""
    receiver = Receiver(scheme="https" if tls else "http")

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            answer = receiver.answers.pop(0) if receiver.answers else 200
            receiver.received.append(Received(self.path, headers, body))
            if callable(answer):
                answer(self)
                return
            self.send_response(answer)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """A sender that has seen enough leaves."""

    server = Server(("127.0.0.1", 0), Handler)
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    receiver.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield receiver
    finally:
        receiver.released.set()
        server.shutdown()
        server.server_close()
        thread.join()

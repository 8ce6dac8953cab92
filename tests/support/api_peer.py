"""A small API that answers the dashboard's calls with prepared answers, over real HTTP."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PREFIX = "/api/v1"


@dataclass
class ApiPeer:
    """Answers by "METHOD path"; any other call gets 404 in the API's error format."""

    answers: dict[str, Any] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    bodies: dict[str, Any] = field(default_factory=dict)
    """The last JSON body of each call that had one."""
    url: str = ""

    def answer(self, call: str) -> tuple[int, Any]:
        """Return status and body of one call, and remember the call."""
        self.calls.append(call)
        if call in self.answers:
            return 200, self.answers[call]
        return 404, {"error": "not_found", "message": f"There is no {call}.", "fields": []}


@contextmanager
def api_peer() -> Iterator[ApiPeer]:
    """Start it on a free port."""
    peer = ApiPeer()

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            path = self.path.removeprefix(PREFIX).partition("?")[0]
            call = f"{self.command} {path}"
            if length := int(self.headers.get("Content-Length", 0)):
                peer.bodies[call] = json.loads(self.rfile.read(length))
            status, body = peer.answer(call)
            payload = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload)

        do_GET = do_POST = _answer  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    peer.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield peer
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

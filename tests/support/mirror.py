"""Files in memory, served on a real loopback port with the faults of download mirrors."""

import contextlib
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.support.ports import free_ports


class Mirror(ThreadingHTTPServer):
    """Serves files and counts the requests for each."""

    def __init__(self, files: Mapping[str, bytes], cut: int, moved: Mapping[str, str]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files, self.cut, self.moved = files, cut, moved
        self.asked: Counter[str] = Counter()
        self.open = threading.Event()
        """Answers wait until it is set."""
        self.open.set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/"


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        mirror, name = self.server, self.path.removeprefix("/")
        assert isinstance(mirror, Mirror)
        mirror.asked[name] += 1
        mirror.open.wait(60)
        if name in mirror.moved:
            self.send_response(302)
            self.send_header("Location", mirror.moved[name])
            self.end_headers()
            return
        if name not in mirror.files:
            self.send_error(404)
            return
        content = mirror.files[name]
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        with contextlib.suppress(ConnectionError):  # a client that was cancelled
            self.wfile.write(content[: len(content) - mirror.cut])

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextlib.contextmanager
def mirror(
    files: Mapping[str, bytes], *, cut: int = 0, moved: Mapping[str, str] | None = None
) -> Iterator[Mirror]:
    """Serve these files.

    Args:
        files: name -> content.
        cut: bytes at the end of each file that are announced and not sent.
        moved: name -> address that its clients are redirected to.
    """
    server = Mirror(files, cut, moved or {})
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.open.set()
        server.shutdown()
        thread.join()
        server.server_close()


def unused_url() -> str:
    """Return an address at which no server listens."""
    return f"http://127.0.0.1:{free_ports(1)[0]}/"

"""Requests with headers that no ordinary client sends: a foreign Host, two of them, or none."""

import http.client
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

HANDSHAKE: Final = (
    ("Upgrade", "websocket"),
    ("Connection", "Upgrade"),
    ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ("Sec-WebSocket-Version", "13"),
)
"""Headers that ask for a websocket; the answer's status is 101 where it is accepted."""


@dataclass(frozen=True)
class Answer:
    """An HTTP answer."""

    status: int
    headers: dict[str, str]
    """Names in lower case."""
    text: str


def send(
    url: str, headers: Sequence[tuple[str, str]], *, method: str = "GET", body: str | None = None
) -> Answer:
    """Send exactly these headers, without a Host of our own; an accepted websocket is closed."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)
    try:
        path = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        for name, value in headers:
            connection.putheader(name, value)
        if body is not None:
            connection.putheader("Content-Length", str(len(body.encode())))
        connection.endheaders(None if body is None else body.encode())
        answer = connection.getresponse()
        text = "" if answer.status == 101 else answer.read().decode()
        return Answer(
            answer.status, {name.lower(): value for name, value in answer.getheaders()}, text
        )
    finally:
        connection.close()

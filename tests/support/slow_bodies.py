"""Requests over real sockets whose bodies come slowly or not at all."""

import socket
import time
from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit


def begin(url: str, path: str, headers: Mapping[str, str], length: int = 1000) -> socket.socket:
    """Send the head of a POST that announces a body of `length` bytes."""
    address = urlsplit(url)
    connection = socket.create_connection((address.hostname, address.port), timeout=20)
    announced = {"Host": address.netloc, **headers, "Content-Length": str(length)}
    lines = [f"POST {path} HTTP/1.1", *(f"{name}: {value}" for name, value in announced.items())]
    connection.sendall("".join(f"{line}\r\n" for line in [*lines, ""]).encode())
    return connection


def answer(connection: socket.socket) -> tuple[str, str]:
    """Return head and body of the answer, when the server has closed the connection."""
    content = b""
    while chunk := connection.recv(65536):
        content += chunk
    head, _, body = content.decode().partition("\r\n\r\n")
    return head, body


def trickle(connection: socket.socket) -> bytes:
    """Send a byte now and then until something comes back; return its first bytes."""
    connection.settimeout(0.02)
    ends = time.monotonic() + 20
    while True:
        assert time.monotonic() < ends, "a byte now and then keeps the connection"
        connection.sendall(b" ")
        try:
            return connection.recv(65536)
        except TimeoutError:
            continue


def send_slowly(connection: socket.socket, pieces: Iterable[bytes], pause_s: float) -> None:
    """Send the pieces of a body with a pause after each."""
    for piece in pieces:
        connection.sendall(piece)
        time.sleep(pause_s)

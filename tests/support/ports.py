"""Free loopback ports for servers that tests start."""

import socket


def free_ports(count: int) -> list[int]:
    """As many different free ports; all are held at once while they are looked for."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for sock in sockets:
            sock.bind(("127.0.0.1", 0))
        return [sock.getsockname()[1] for sock in sockets]
    finally:
        for sock in sockets:
            sock.close()

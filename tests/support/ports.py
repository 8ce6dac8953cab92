"""Free loopback ports for servers that tests start.

Between looking for a free port and the server's bind another process may take it. So no port comes
from the range out of which the kernel serves outgoing connections (from 32768 on Linux, from 49152
elsewhere), and each worker of pytest-xdist has a range of its own.
"""

import os
import socket
from typing import Final

FIRST: Final = 12_000
EACH: Final = 1_200
"""Ports of one worker."""
WORKERS: Final = 16
"""Workers that have their own range; `FIRST + WORKERS * EACH` stays below 32768."""


class _Range:
    """The ports of this process, handed out one after the other, so that none is reused soon."""

    def __init__(self) -> None:
        worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
        self._first = FIRST + worker % WORKERS * EACH
        # Two test sessions on one machine do not begin with the same port.
        self._next = os.getpid() % EACH

    def take(self) -> int:
        """Return the next port of the range, free or not."""
        self._next = (self._next + 1) % EACH
        return self._first + self._next


_ports = _Range()


def free_ports(count: int) -> list[int]:
    """Return different ports on which no server listens.

    Raises:
        OSError: too few are free.
    """
    found: list[int] = []
    for _ in range(EACH):
        port = _ports.take()
        if _is_free(port):
            found.append(port)
        if len(found) == count:
            return found
    raise OSError(f"fewer than {count} of {EACH} ports are free")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True

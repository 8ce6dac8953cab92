"""Probing addresses before anything starts."""

import errno
import socket
from collections.abc import Sequence
from dataclasses import dataclass

from launcher.console import PortError


@dataclass(frozen=True)
class Port:
    """An address a process will listen on."""

    owner: str
    """Who will listen, in words."""
    host: str
    number: int
    flag: str
    """The command-line flag that changes it."""


def problem_with(port: Port) -> str | None:
    """Why an address cannot be used, in one line; None when it is free."""
    try:
        family, kind, proto, _, address = socket.getaddrinfo(
            port.host, port.number, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except socket.gaierror as error:
        return f"{port.owner}: --host {port.host} is not an address of this machine ({error})"
    with socket.socket(family, kind, proto) as probe:
        # As the servers do: an address in TIME_WAIT is free, one that listens is not.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return (
                    f"port {port.number}, meant for the {port.owner}, is taken by another program; "
                    f"choose another with {port.flag}"
                )
            return (
                f"{port.owner}: cannot listen on {port.host}:{port.number} ({error.strerror}); "
                f"change {port.flag} or --host"
            )
    return None


def require_free(ports: Sequence[Port]) -> None:
    """Check that every address can be listened on.

    Raises:
        PortError: naming each port that cannot be used and the flag that changes it.
    """
    problems = [found for port in ports if (found := problem_with(port))]
    if problems:
        raise PortError("; ".join(problems))

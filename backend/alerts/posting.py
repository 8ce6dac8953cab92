"""One POST to a receiver: to an address that was checked, within a bounded time, and no further.

No redirect is followed and no proxy of the environment is used; both would lead elsewhere.
"""

import contextlib
import http.client
import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from backend.http.outgoing_hosts import OutgoingHosts, Target, address_problem

TIMEOUT_S: Final = 10.0
"""For a whole try, from the connection to the answer's status."""
MAX_ANSWER: Final = 64 * 1024
"""Bytes that are read of an answer, so that the receiver sees it taken; none is kept."""
USER_AGENT: Final = "Lossboard-Alerts/1"

Resolved = list[tuple[Any, Any, Any, Any, Any]]
Resolve = Callable[..., Resolved]


@dataclass(frozen=True)
class Outcome:
    """What became of a try."""

    status: int | None
    """Of the answer; None without one."""
    problem: str
    """Why it failed, for people; empty if it arrived."""


class Poster:
    """Sends to the allowed hosts; safe to use from several threads."""

    def __init__(
        self,
        hosts: OutgoingHosts,
        *,
        timeout_s: float = TIMEOUT_S,
        resolve: Resolve = socket.getaddrinfo,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """Args:
        hosts: that may be called.
        timeout_s: for a try.
        resolve: gives the addresses of a name.
        tls: trusts the machine's authorities where it is None.
        """
        self._hosts = hosts
        self._timeout_s = timeout_s
        self._resolve = resolve
        self._tls = tls
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._closed = False

    def close(self) -> None:
        """End all tries that are under way, and refuse new ones."""
        with self._lock:
            self._closed = True
            sockets = list(self._open)
        for one in sockets:
            _shut(one)

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Outcome:
        """Send a JSON body, and return what came of it."""
        try:
            target = self._hosts.target(url)
        except ValueError as error:
            return Outcome(None, f"not sent: {error}")
        try:
            addresses = self._addresses(target)
        except OSError as error:
            return Outcome(None, f"{target.host} cannot be resolved ({error.strerror or error})")
        for one in addresses:
            if problem := address_problem(str(one[4][0]), private=target.private):
                return Outcome(None, f"{target.host} is not called: {problem}")
        return self._post_to(target, addresses[0], body, headers)

    def _addresses(self, target: Target) -> Resolved:
        """Return all addresses of a host.

        Raises:
            OSError: it has none.
        """
        found = self._resolve(target.host, target.port, type=socket.SOCK_STREAM)
        if not found:
            raise OSError("no address")
        return found

    def _post_to(
        self,
        target: Target,
        address: tuple[Any, Any, Any, Any, Any],
        body: bytes,
        headers: Mapping[str, str],
    ) -> Outcome:
        connection = _Connection(target, address, self._timeout_s, self._take_in, self._context)
        late = threading.Event()

        def end() -> None:
            late.set()
            if connection.raw is not None:
                _shut(connection.raw)

        deadline = threading.Timer(self._timeout_s, end)
        deadline.daemon = True
        deadline.start()
        try:
            sent = {
                "Host": target.authority,
                "Content-Type": "application/json",
                "User-Agent": USER_AGENT,
                **headers,
            }
            connection.request("POST", target.path, body=body, headers=sent)
            answer = connection.getresponse()
            if late.is_set():  # its head was cut off
                raise TimeoutError
            with contextlib.suppress(OSError, http.client.HTTPException):  # its status counts
                answer.read(MAX_ANSWER)
            return _judge(answer.status)
        except (OSError, http.client.HTTPException, ValueError) as error:
            if late.is_set() or isinstance(error, TimeoutError):
                return Outcome(None, f"no answer within {self._timeout_s:g} s")
            return Outcome(None, _reason(error))
        finally:
            deadline.cancel()
            if connection.raw is not None:
                with self._lock:
                    self._open.discard(connection.raw)
            connection.close()

    def _take_in(self, opened: socket.socket, before: socket.socket | None = None) -> None:
        """Note a socket that is in use, in the place of the one that it was made from."""
        with self._lock:
            self._open.discard(before) if before is not None else None
            self._open.add(opened)
            closed = self._closed
        if closed:
            raise OSError("the API stops")

    def _context(self) -> ssl.SSLContext:
        with self._lock:
            if self._tls is None:
                self._tls = ssl.create_default_context()
            return self._tls


class _Connection(http.client.HTTPConnection):
    """A connection to one address, whatever the name resolves to by now."""

    def __init__(
        self,
        target: Target,
        address: tuple[Any, Any, Any, Any, Any],
        timeout_s: float,
        take_in: Callable[..., None],
        tls: Callable[[], ssl.SSLContext],
    ) -> None:
        super().__init__(target.host, target.port, timeout=timeout_s)
        self._target = target
        self._address = address
        self._timeout_s = timeout_s
        self._take_in = take_in
        self._tls = tls
        self.raw: socket.socket | None = None
        """The socket in use."""

    def connect(self) -> None:
        """Connect, and make sure of the name that the address has."""
        family, kind, protocol, _, where = self._address
        opened = self.raw = socket.socket(family, kind, protocol)
        self._take_in(opened)
        opened.settimeout(self._timeout_s)
        opened.connect(where)
        if self._target.scheme == "https":
            wrapped = self._tls().wrap_socket(
                opened, server_hostname=self._target.host, do_handshake_on_connect=False
            )
            self.raw = wrapped
            self._take_in(wrapped, opened)
            wrapped.do_handshake()
        self.sock = self.raw

    def close(self) -> None:
        """Close the socket, also one that was never connected."""
        super().close()
        if self.raw is not None:
            self.raw.close()


def _judge(status: int) -> Outcome:
    if 200 <= status < 300:
        return Outcome(status, "")
    if 300 <= status < 400:
        return Outcome(status, "it redirects elsewhere, which is not followed")
    return Outcome(status, f"it answers {status}")


def _reason(error: Exception) -> str:
    match error:
        case ssl.SSLCertVerificationError():
            return f"its certificate is not accepted: {error.verify_message}"
        case ssl.SSLError():
            return f"no encrypted connection: {error.reason or error}"
        case ConnectionRefusedError():
            return "it refuses the connection"
        case http.client.HTTPException():
            return "its answer is not valid HTTP"
        case OSError():
            return f"the connection failed ({error.strerror or type(error).__name__})"
    return type(error).__name__


def _shut(one: socket.socket) -> None:
    with contextlib.suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)

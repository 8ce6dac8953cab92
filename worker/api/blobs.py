"""Client of the API's blob store, where bytes are kept under the SHA-256 digest of their content.

`put` and `fetch` are for a training: they wait while the API is away, until the run is cancelled.
An API that answers, but with an error, gets a few more tries only: its disk may be broken.
`get` is for a projection, which tries once and is claimed again later.
"""

import hashlib
import json
import time
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple, Protocol

import httpx

from worker.api.client import http_client
from worker.errors import ApiUnavailableError, BlobLostError, BlobRefusedError, CancelledError
from worker.reporting import signs_of_life
from worker.settings import Settings

TIMEOUT: Final = httpx.Timeout(30.0, connect=2.0)
RETRY_S: Final = 0.5
BLOCK: Final = 2**18
"""Bytes sent at once."""
AWAY: Final = frozenset({408, 429, 502, 503, 504})
"""HTTP statuses of an API that is away or busy: it is waited for, as if it did not answer."""
FINAL: Final = frozenset({507})
"""Of an API whose disk is full: another try does not help."""
TRIES: Final = 10
"""Tries after which another 5xx status counts: the API works, and this blob fails."""


class BlobStore(Protocol):
    """Where snapshots and checkpoints are stored."""

    def put(self, content: bytes, cancelled: Callable[[], bool]) -> str:
        """Store bytes and return their digest.

        Raises:
            BlobRefusedError: they cannot be stored.
            CancelledError: the run was cancelled meanwhile.

        `cancelled` is called whenever a part is sent and before each new try.
        """


class _Answer(NamedTuple):
    status: int
    content: bytes

    @property
    def is_success(self) -> bool:
        return self.status // 100 == 2

    @property
    def words(self) -> str:
        """The API's own words about an error, or what came instead of them."""
        try:
            said = json.loads(self.content)["message"]
        except (ValueError, LookupError, TypeError):
            said = self.content[:300].decode(errors="replace")
        return f"it answers {self.status}: {said}"


class BlobClient:
    """The API's blob store."""

    def __init__(self, settings: Settings) -> None:
        self._http = http_client(settings, TIMEOUT, "/blobs")
        self._tries = TRIES

    def put(self, content: bytes, cancelled: Callable[[], bool]) -> str:
        """Store bytes, waiting while the API is away, and return their digest.

        Raises:
            BlobRefusedError: the API refuses them, or fails at them again and again.
            CancelledError: the run was cancelled meanwhile.
        """
        digest = hashlib.sha256(content).hexdigest()
        answer = self._request("PUT", digest, cancelled, content)
        if not answer.is_success:
            raise BlobRefusedError(
                f"the API could not store {len(content):,} bytes, {answer.words}"
            )
        return digest

    def fetch(self, digest: str, cancelled: Callable[[], bool]) -> bytes:
        """Return the bytes of a blob, waiting while the API is away.

        Raises:
            BlobLostError: the blob is missing or damaged, or the API cannot read it.
            CancelledError: the run was cancelled meanwhile.
        """
        answer = self._request("GET", digest, cancelled)
        if not answer.is_success:
            raise BlobLostError(f"the API could not send it, {answer.words}")
        if hashlib.sha256(answer.content).hexdigest() != digest:
            raise BlobLostError(f"the {len(answer.content):,} bytes that came are damaged")
        return answer.content

    def get(self, digest: str) -> bytes:
        """Return the bytes of a blob, in one try.

        Raises:
            ApiUnavailableError: the API gave no usable answer.
        """
        try:
            answer = self._http.get(f"/{digest}")
            answer.raise_for_status()
        except httpx.HTTPError as error:
            raise ApiUnavailableError(f"blob {digest}: {error!r}") from error
        return answer.content

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _request(
        self, method: str, digest: str, cancelled: Callable[[], bool], content: bytes | None = None
    ) -> _Answer:
        """Repeat a request until its answer is one that another try would not change.

        Errors of an API that is there get a few tries; after the first blob that failed at all of
        them, each has one, so that a broken disk does not hold up the end of a run.
        """
        failures = 0
        while True:
            try:
                answer = self._request_once(method, digest, cancelled, content)
            except httpx.TransportError:
                pass  # it is away
            else:
                if answer.is_success:
                    self._tries = TRIES
                    return answer
                if answer.status in FINAL or (answer.status < 500 and answer.status not in AWAY):
                    return answer
                failures += answer.status not in AWAY
                if failures >= self._tries:
                    self._tries = 1
                    return answer
            _go_on(cancelled)
            time.sleep(RETRY_S)

    def _request_once(
        self, method: str, digest: str, cancelled: Callable[[], bool], content: bytes | None
    ) -> _Answer:
        headers = {} if content is None else {"Content-Length": str(len(content))}
        body = None if content is None else _blocks(content, cancelled)
        with self._http.stream(method, f"/{digest}", content=body, headers=headers) as answer:
            came = bytearray()
            for block in answer.iter_bytes():
                came += block
                _go_on(cancelled)
            return _Answer(answer.status_code, bytes(came))


def _blocks(content: bytes, cancelled: Callable[[], bool]) -> Iterator[bytes]:
    for start in range(0, len(content), BLOCK):
        _go_on(cancelled)
        yield content[start : start + BLOCK]


def _go_on(cancelled: Callable[[], bool]) -> None:
    """Give a sign of life; raise CancelledError if the run was cancelled."""
    signs_of_life.sign()
    if cancelled():
        raise CancelledError("cancelled while a blob was under way")

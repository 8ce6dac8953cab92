"""Client of the API's blob store, where bytes are kept under the SHA-256 digest of their content.

`put` and `fetch` are for a training: they wait while the API is away, until the run is cancelled.
`get` is for a projection, which tries once and is claimed again later.
"""

import hashlib
import time
from collections.abc import Callable
from typing import Final, Protocol

import httpx

from worker.api.client import http_client
from worker.errors import ApiUnavailableError, BlobLostError, BlobRefusedError, CancelledError
from worker.settings import Settings

TIMEOUT: Final = httpx.Timeout(30.0, connect=2.0)
RETRY_S: Final = 0.5
INSUFFICIENT_STORAGE: Final = 507
"""HTTP status of an API whose disk is full; trying again does not help."""


class BlobStore(Protocol):
    """Where snapshots and checkpoints are stored."""

    def put(self, content: bytes, cancelled: Callable[[], bool]) -> str:
        """Store bytes and return their digest.

        Raises:
            BlobRefusedError: they cannot be stored.
            CancelledError: the run was cancelled while the store was away.
        """


class BlobClient:
    """The API's blob store."""

    def __init__(self, settings: Settings) -> None:
        self._http = http_client(settings, TIMEOUT, "/blobs")

    def put(self, content: bytes, cancelled: Callable[[], bool]) -> str:
        """Store bytes, waiting while the API is away, and return their digest.

        Raises:
            BlobRefusedError: the API refuses them.
            CancelledError: the run was cancelled while the API was away.
        """
        digest = hashlib.sha256(content).hexdigest()
        answer = self._request("PUT", digest, cancelled, content)
        if not answer.is_success:
            raise BlobRefusedError(
                f"the API refused {len(content):,} bytes with {answer.status_code}: "
                f"{answer.text[:300]}"
            )
        return digest

    def fetch(self, digest: str, cancelled: Callable[[], bool]) -> bytes:
        """Return the bytes of a blob, waiting while the API is away.

        Raises:
            BlobLostError: the blob is missing or damaged.
            CancelledError: the run was cancelled while the API was away.
        """
        answer = self._request("GET", digest, cancelled)
        if not answer.is_success:
            raise BlobLostError(f"the API answers {answer.status_code}: {answer.text[:300]}")
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
    ) -> httpx.Response:
        """Repeat a request until its answer is one that another try would not change."""
        while True:
            try:
                answer = self._http.request(method, f"/{digest}", content=content)
            except httpx.TransportError:
                pass
            else:
                final = answer.is_client_error or answer.status_code == INSUFFICIENT_STORAGE
                if answer.is_success or final:
                    return answer
            if cancelled():
                raise CancelledError
            time.sleep(RETRY_S)

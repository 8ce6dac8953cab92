"""Client of the API's blob store: bytes go there under the SHA-256 of their content."""

import hashlib
import time
from collections.abc import Callable
from typing import Final, Protocol

import httpx

from worker.api import client as internal
from worker.errors import ApiUnavailableError, BlobLostError, BlobRefusedError, CancelledError
from worker.settings import Settings

TIMEOUT: Final = httpx.Timeout(30.0, connect=2.0)
RETRY_S: Final = 0.5
INSUFFICIENT_STORAGE: Final = 507


class BlobStore(Protocol):
    """Takes blobs."""

    def put(self, content: bytes, cancelled: Callable[[], bool]) -> str:
        """Store bytes; their digest.

        Raises:
            BlobRefusedError: they cannot be stored.
            CancelledError: while the store was waited for.
        """


class BlobClient:
    """The API's store."""

    def __init__(self, settings: Settings) -> None:
        self._http = internal.http_client(settings, TIMEOUT, "/blobs")

    def put(self, content: bytes, cancelled: Callable[[], bool]) -> str:
        """Store bytes, however long the API is away; their digest.

        Raises:
            BlobRefusedError: the API does not take them.
            CancelledError: while the API was away.
        """
        digest = hashlib.sha256(content).hexdigest()
        answer = self._asked("PUT", digest, cancelled, content)
        if not answer.is_success:
            raise BlobRefusedError(
                f"the API refused {len(content):,} bytes with {answer.status_code}: "
                f"{answer.text[:300]}"
            )
        return digest

    def fetch(self, digest: str, cancelled: Callable[[], bool]) -> bytes:
        """The bytes of a blob, however long the API is away.

        Raises:
            BlobLostError: it is not there, or not whole.
            CancelledError: while the API was away.
        """
        answer = self._asked("GET", digest, cancelled)
        if not answer.is_success:
            raise BlobLostError(f"the API answers {answer.status_code}: {answer.text[:300]}")
        if hashlib.sha256(answer.content).hexdigest() != digest:
            raise BlobLostError(f"the {len(answer.content):,} bytes that came are damaged")
        return answer.content

    def get(self, digest: str) -> bytes:
        """The bytes of a blob.

        Raises:
            ApiUnavailableError: the API gave no good answer.
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

    def _asked(
        self, method: str, digest: str, cancelled: Callable[[], bool], content: bytes | None = None
    ) -> httpx.Response:
        """The API's answer, once it has one that another try would not change."""
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

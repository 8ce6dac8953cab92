"""Reads the JSON blobs of snapshots, and keeps the last ones that were asked for."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Final, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from backend.errors import NotFoundError
from backend.storage.blobs import Blobs
from contract.snapshots import Facts, Histogram, Samples

MANY_FACTS: Final = 16
"""Facts of 10,000 samples take some 10 MB."""
MANY_SAMPLES: Final = 8
MANY_HISTOGRAMS: Final = 4096

Shape = TypeVar("Shape", bound=BaseModel)


class _Distances(BaseModel):
    """The part of Facts that is small."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    histogram: Histogram


class Reader:
    """What blobs say; every method raises NotFoundError where one is absent or says nothing."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs
        self._samples = _Last(MANY_SAMPLES, lambda digest: self._parsed(Samples, digest))
        self._facts = _Last(MANY_FACTS, lambda digest: self._parsed(Facts, digest))
        self._histograms = _Last(
            MANY_HISTOGRAMS, lambda digest: self._parsed(_Distances, digest).histogram
        )

    def samples(self, digest: str) -> Samples:
        """What the points of a snapshot are."""
        return self._samples(digest)

    def facts(self, digest: str) -> Facts:
        """What one arm makes of them."""
        return self._facts(digest)

    def histogram(self, digest: str) -> Histogram:
        """The distances of the facts with that digest, without reading all else they say."""
        return self._histograms(digest)

    def _parsed(self, shape: type[Shape], digest: str) -> Shape:
        content = self._blobs.read(digest)
        try:
            return shape.model_validate_json(content)
        except ValidationError as error:
            raise NotFoundError(
                f"the blob {digest} cannot be read as this API reads it; a worker of another "
                f"version may have made it: {error.error_count()} problems, the first "
                f"{error.errors()[0]['msg']!r}"
            ) from error


Value = TypeVar("Value")


class _Last(Generic[Value]):
    """Remembers the values last asked for; a blob never changes, so none grows old."""

    def __init__(self, most: int, make: Callable[[str], Value]) -> None:
        self._most = most
        self._make = make
        self._kept: OrderedDict[str, Value] = OrderedDict()
        self._lock = threading.Lock()

    def __call__(self, digest: str) -> Value:
        with self._lock:
            if digest in self._kept:
                self._kept.move_to_end(digest)
                return self._kept[digest]
        made = self._make(digest)
        with self._lock:
            self._kept[digest] = made
            self._kept.move_to_end(digest)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return made

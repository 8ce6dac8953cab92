"""Read the blobs of trained models: the head of the weights' file, and the embeddings."""

import json
import struct
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from backend.db.models import Artifact
from backend.errors import NotFoundError
from backend.storage.blobs import Blobs
from contract.artifacts import DESCRIPTION, FACTS, ArtifactKind, Confusion, EmbeddingFacts

MAX_HEAD: Final = 100_000_000
"""Bytes of the head of a safetensors file, at most, as its own readers have it."""
_WHAT: Final[Mapping[str, str]] = {
    "weights": "weights of its model",
    "embeddings": "embeddings of the test split",
    "confusion": "confusion of classes",
}


@dataclass(frozen=True)
class Embeddings:
    """The embeddings of the test split of one run, row by row."""

    facts: EmbeddingFacts
    vectors: NDArray[np.float32]
    """[P, D]."""
    labels: NDArray[np.int64]
    ids: NDArray[np.int64]
    modality: NDArray[np.int64]
    nearest: NDArray[np.int64]
    """Row of the nearest other row."""
    fine: NDArray[np.int64] | None

    @property
    def classes(self) -> list[str]:
        """The name of each row's class."""
        return [self.facts.classes[label] for label in self.labels.tolist()]


def part_path(blobs: Blobs, run: str, row: Artifact | None, kind: ArtifactKind) -> Path:
    """Return the path of a part of a run's model.

    Raises:
        NotFoundError: it is not kept; says why.
    """
    if row is None:
        raise NotFoundError(
            f"run {run!r} has kept no {_WHAT[kind]}: they are kept when a run succeeds, and not by "
            "runs of older versions"
        )
    if row.digest is None:
        raise NotFoundError(f"run {run!r} has kept no {_WHAT[kind]}: {row.problem}")
    return blobs.path(row.digest)


def read_description(weights: Path) -> dict[str, Any]:
    """Read how the network is built from the head of a safetensors file.

    Raises:
        NotFoundError: the file is not one that a worker of this version made.
    """
    try:
        with weights.open("rb") as file:
            [size] = struct.unpack("<Q", file.read(8))
            if size > MAX_HEAD:
                raise ValueError("its head is too large")
            metadata = json.loads(file.read(size))["__metadata__"]
        found = json.loads(metadata[DESCRIPTION])
    except (OSError, ValueError, LookupError, TypeError, struct.error) as error:
        raise NotFoundError(f"the kept weights cannot be read: {error!r:.200}") from error
    if not isinstance(found, dict):
        raise NotFoundError("the kept weights do not say how their network is built")
    return found


def read_embeddings(path: Path) -> Embeddings:
    """Read kept embeddings.

    Raises:
        NotFoundError: the file is not one that a worker of this version made.
    """
    try:
        # Opened here, because NumPy leaves a file open that it cannot read.
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            facts = EmbeddingFacts.model_validate_json(file[FACTS].tobytes())
            return Embeddings(
                facts=facts,
                vectors=file["embeddings"],
                labels=file["labels"],
                ids=file["ids"],
                modality=file["modality"],
                nearest=file["nearest"],
                fine=file["fine"] if "fine" in file.files else None,
            )
    except (OSError, ValueError, LookupError, ValidationError, zipfile.BadZipFile) as error:
        raise NotFoundError(f"the kept embeddings cannot be read: {error!r:.200}") from error


def read_confusion(blobs: Blobs, digest: str) -> Confusion:
    """Read a kept confusion.

    Raises:
        NotFoundError: it is missing, or not one that a worker of this version made.
    """
    try:
        return Confusion.model_validate_json(blobs.read(digest))
    except ValidationError as error:
        raise NotFoundError(f"the kept confusion {digest} cannot be read: {error}") from error

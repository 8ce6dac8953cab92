"""The data sets of docs/FINDINGS.md: where their files lie, and the specs that train on them.

Files are looked for below one folder, as their hosts pack them:

    MNIST/raw/*.gz            the four files of MNIST
    cifar10_images.tar.gz     CIFAR-10 as images in class folders, with train and test above them
    cub200/                   images in one folder a species
    fsdd.tar.gz               recordings of the Free Spoken Digit Dataset, below recordings/
    clinc150/clinc150.csv     CLINC150 with the columns text, label, fine_label and split
"""

import gzip
import shutil
import tarfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

MLP: Final[Mapping[str, Any]] = {"kind": "mlp", "embedding_dim": 64, "normalize": True}
FROZEN: Final[Mapping[str, Any]] = {
    "kind": "efficientnet_lite0",
    "tuning": "frozen",
    "embedding_dim": 64,
    "normalize": True,
}
MNIST_IMAGES: Final = 600
"""Of each digit."""
TABLE_CLASSES: Final = 100
MAP_AT_R: Final = "test.retrieval.map_at_r"

Make = Callable[[Path | None, Path], Mapping[str, Any] | None]
"""Gets the folder with the files, and one to write into; returns the data section, or None if the
files are missing."""


@dataclass(frozen=True)
class Case:
    """One data set."""

    title: str
    said: str
    """What trains on what, as a sentence."""
    make: Make
    encoder: Mapping[str, Any]
    training: Mapping[str, Any]
    trials: int
    """Of each loss at equal budget."""
    metric: str = MAP_AT_R
    """The main one."""
    detail: bool = False
    """Whether the data have fine labels, so that detail retention is measured."""
    splits: bool = True
    """Whether the split can be drawn anew."""
    all_tuned: bool = False
    """Whether all losses are tuned, not the contrastive and the triplet loss alone."""
    visual_encoder: Mapping[str, Any] | None = None
    measure: Mapping[str, Any] = field(default_factory=lambda: {"evaluate_every": 2})


def _bundled(**data: Any) -> Make:
    return lambda _files, _own: data


def _mnist(files: Path | None, own: Path) -> Mapping[str, Any] | None:
    """Write the pixels of 600 training images of each digit as a table."""
    raw = None if files is None else files / "MNIST" / "raw"
    if raw is None or not raw.is_dir():
        return None
    table = own / "mnist.npz"
    if not table.exists():
        images = _idx(raw / "train-images-idx3-ubyte.gz", 16).reshape(-1, 28 * 28)
        labels = _idx(raw / "train-labels-idx1-ubyte.gz", 8)
        rows = np.sort(
            np.concatenate([np.flatnonzero(labels == one)[:MNIST_IMAGES] for one in range(10)])
        )
        np.savez(table, features=images[rows].astype(np.float32) / 255, labels=labels[rows])
    return {"kind": "features", "file": str(table), "split": "item"}


def _idx(path: Path, head: int) -> np.ndarray:
    with gzip.open(path) as file:
        return np.frombuffer(file.read(), dtype=np.uint8, offset=head)


def _cifar(files: Path | None, own: Path) -> Mapping[str, Any] | None:
    packed = None if files is None else files / "cifar10_images.tar.gz"
    if packed is None or not packed.exists():
        return None
    folder = own / "cifar10_images"
    _unpack(packed, own, folder)
    return {"kind": "image_folder", "folder": str(folder), "merge": True, "split": "item"}


def _birds(files: Path | None, _own: Path) -> Mapping[str, Any] | None:
    folder = None if files is None else files / "cub200"
    if folder is None or not folder.is_dir():
        return None
    return {"kind": "image_folder", "folder": str(folder), "split": "class", "validation": "items"}


def _spoken(files: Path | None, own: Path) -> Mapping[str, Any] | None:
    """Place recordings and MNIST's images where the workers look for them."""
    packed = None if files is None else files / "fsdd.tar.gz"
    raw = None if files is None else files / "MNIST" / "raw"
    if packed is None or raw is None or not packed.exists() or not raw.is_dir():
        return None
    datasets = own / "board" / "datasets"
    placed = datasets / "free-spoken-digit-dataset" / "recordings"
    if not placed.is_dir():
        _unpack(packed, own, own / "fsdd")
        placed.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(own / "fsdd" / "recordings", placed)
    images = datasets / "MNIST" / "raw"
    images.mkdir(parents=True, exist_ok=True)
    for path in raw.glob("*.gz"):
        target = images / path.stem
        if not target.exists():
            with gzip.open(path) as source, target.open("wb") as sink:
                shutil.copyfileobj(source, sink)
    return {"kind": "spoken_digits", "images": "mnist"}


def _clinc(files: Path | None, _own: Path) -> Mapping[str, Any] | None:
    table = None if files is None else files / "clinc150" / "clinc150.csv"
    if table is None or not table.exists():
        return None
    return {"kind": "text", "file": str(table), "split": "given"}


def _unpack(packed: Path, into: Path, made: Path) -> None:
    if not made.is_dir():
        with tarfile.open(packed) as archive:
            archive.extractall(into, filter="data")


CASES: Final[Mapping[str, Case]] = {
    "digits": Case(
        "Digits",
        "scikit-learn's 1,797 scans of digits; an MLP; 20 epochs, batches of 64.",
        _bundled(kind="digits"),
        MLP,
        {"epochs": 20, "batch_size": 64},
        trials=16,
        all_tuned=True,
    ),
    "synthetic": Case(
        "Synthetic",
        "the synthetic data of Zeng 2025, 10 classes of three modes; an MLP; 30 epochs, batches "
        "of 64. Detail: the mode.",
        _bundled(kind="synthetic"),
        MLP,
        {"epochs": 30, "batch_size": 64},
        trials=16,
        all_tuned=True,
        detail=True,
    ),
    "table100": Case(
        "100 classes",
        "a table of 6,000 synthetic rows in 100 classes of three modes; an MLP; 20 epochs, batches "
        "of 128. Detail: the mode.",
        _bundled(kind="synthetic", classes=TABLE_CLASSES, per_class=60, dim=128),
        MLP,
        {"epochs": 20, "batch_size": 128},
        trials=16,
        detail=True,
    ),
    "mnist": Case(
        "MNIST",
        "the pixels of 6,000 of MNIST's images; an MLP; 15 epochs, batches of 64.",
        _mnist,
        MLP,
        {"epochs": 15, "batch_size": 64},
        trials=12,
    ),
    "cifar10": Case(
        "CIFAR-10 subset",
        "12,000 of CIFAR-10's images, recompressed as JPEG; a linear head on the features of a "
        "frozen EfficientNet-Lite0; 10 epochs, batches of 128.",
        _cifar,
        FROZEN,
        {"epochs": 10, "batch_size": 128},
        trials=12,
    ),
    "birds": Case(
        "Birds, unseen species",
        "20 photographs of each of 200 species of CUB-200-2010, 100 of which train and the others "
        "test; a linear head on the features of a frozen EfficientNet-Lite0; 20 epochs, batches "
        "of 16 species with four photographs.",
        _birds,
        FROZEN,
        {
            "epochs": 20,
            "batch_size": 64,
            "sampler": {"kind": "m_per_class", "m": 4},
        },
        trials=16,
    ),
    "clinc150": Case(
        "CLINC150",
        "22,500 queries in the split of their authors, whose 10 domains train; a linear head on "
        "the static vectors of WordLlama; 6 epochs, batches of 128. Detail: the intent, one of "
        "150.",
        _clinc,
        {"kind": "static_text", "embedding_dim": 64, "normalize": True},
        {"epochs": 6, "batch_size": 128},
        trials=12,
        detail=True,
        splits=False,
    ),
    "spoken-digits": Case(
        "Spoken digits",
        "1,200 recordings of six speakers, each with an image of MNIST's; two small convnets and "
        "one space; 15 epochs, batches of 64. Main metric: MAP from sound to image. "
        "Detail: the speaker.",
        _spoken,
        {"kind": "audio_convnet", "channels": 8, "embedding_dim": 64},
        {"epochs": 15, "batch_size": 64},
        trials=8,
        metric="test.retrieval.audio_to_visual.map",
        detail=True,
        visual_encoder={"kind": "convnet", "channels": 8, "embedding_dim": 64},
        measure={"evaluate_every": 3},
    ),
}
"""Data sets by name, in the order of the page."""


def spec_of(case: Case, data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the spec of a case without name, arms and seeds."""
    own = {"visual_encoder": dict(case.visual_encoder)} if case.visual_encoder else {}
    return {
        "data": dict(data),
        "encoder": dict(case.encoder),
        **own,
        "training": dict(case.training),
        "measure": {**case.measure, "snapshot_every": case.training["epochs"]},
    }

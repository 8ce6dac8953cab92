"""Spoken digits, each with an image of the same digit.

The recordings are those of the Free Spoken Digit Dataset (Jackson et al. 2018), found in their
folder or fetched into it; the images are MNIST's, or scikit-learn's bundled digits. The image of a
recording comes from the same split of the images, so neither a recording nor an image is in two
splits.
"""

import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch
from torch import Tensor

from contract.comparison.data import DigitsData, MnistData, SpokenDigitsData
from worker.data.dataset import Pool, Scale
from worker.data.formats.audio import spectrograms
from worker.data.loaders import digits, mnist
from worker.data.sources.archives import unpack
from worker.data.sources.downloads import fetch
from worker.data.sources.locks import locked
from worker.data.splits import Indices, split_by_item
from worker.errors import DataError
from worker.reporting.progress import Progress

FOLDER: Final = "free-spoken-digit-dataset"

URLS: Final = (
    "https://github.com/Jakobovski/free-spoken-digit-dataset/archive/refs/tags/v1.0.10.tar.gz",
)
"""Address of the last release: 3,000 recordings of six speakers. GitHub packs archives again from
time to time, so no checksum of the archive lasts; gzip's own reveals a broken one."""

ARCHIVES: Final = ("v1.0.10.tar.gz", f"{FOLDER}-1.0.10.tar.gz", f"{FOLDER}-master.zip")
"""Accepted names of an archive put there by hand; a downloaded one gets the first."""

LIMIT: Final = 10**9
"""Most bytes of the unpacked archive."""

FILE_NAME: Final = re.compile(r"([0-9])_([a-z]+)_([0-9]+)\.wav")

SHOWN: Final = 10
"""File names in a message; the others are counted."""

_RANDOM_STREAM: Final = 4
"""Separates the random numbers drawn here from others of the same data seed."""


@dataclass(frozen=True)
class Recording:
    """One wav file: {digit}_{speaker}_{index}.wav."""

    path: Path
    digit: int
    speaker: str


def load(spec: SpokenDigitsData, folder: Path, progress: Progress) -> Pool:
    """Load spectrograms [N, 1, bands, frames] with images [N, 1, H, W].

    The fine label of an item names digit and speaker: digit * speakers + speaker. Each digit of
    each speaker is split 60 : 20 : 20. Spectrograms are standardised by mean and deviation of the
    training split.

    Raises:
        DataError: recordings or images are missing or damaged.
        CancelledError: raised by `progress`.
    """
    recordings = ensure_recordings(folder, progress)
    heard = spectrograms(
        [one.path for one in recordings],
        bands=spec.mel_bands,
        frames=spec.frames,
        progress=progress,
    )
    labels = np.array([one.digit for one in recordings], dtype=np.int64)
    names = sorted({one.speaker for one in recordings})
    speakers = np.array([names.index(one.speaker) for one in recordings], dtype=np.int64)
    fine = labels * len(names) + speakers
    indices = split_by_item(fine, seed=spec.seed)
    known = heard[indices.train]
    mean, deviation = known.mean(), known.std()
    heard = (heard - mean) / deviation
    images = _images(spec, folder, progress)
    return Pool(
        items=torch.from_numpy(heard),
        labels=torch.from_numpy(labels),
        indices=indices,
        fine=torch.from_numpy(fine),
        visual=_partners(images, labels, indices, seed=spec.seed),
        recordings=tuple(one.path for one in recordings),
        scales=(
            Scale(
                torch.tensor(float(mean), dtype=torch.float64),
                torch.tensor(float(deviation), dtype=torch.float64),
            ),
            None,
        ),
    )


def _images(spec: SpokenDigitsData, folder: Path, progress: Progress) -> Pool:
    if spec.images == "digits":
        return digits.load(DigitsData(seed=spec.seed), folder, progress)
    return mnist.load(MnistData(seed=spec.seed), folder, progress)


def _partners(images: Pool, labels: np.ndarray, indices: Indices, *, seed: int) -> Tensor:
    """Draw for each label an image of that digit from the same split, as far as possible without
    using one twice."""
    assert isinstance(images.items, Tensor)
    rng = np.random.default_rng([seed, _RANDOM_STREAM])
    chosen = np.empty(len(labels), dtype=np.int64)
    for name in ("train", "validation", "test"):
        own, offered = getattr(indices, name), getattr(images.indices, name)
        for digit in range(10):
            wanting = own[labels[own] == digit]
            found = rng.permutation(offered[images.labels.numpy()[offered] == digit])
            chosen[wanting] = np.resize(found, len(wanting))
    return images.items[torch.from_numpy(chosen)]


def ensure_recordings(
    folder: Path, progress: Progress, urls: Sequence[str] = URLS
) -> tuple[Recording, ...]:
    """Return all recordings by name; fetch the data set if it is not there.

    Raises:
        DataError: there are no recordings and they cannot be fetched, or a file name does not give
            digit and speaker.
        CancelledError: raised by `progress`.
    """
    own = folder / FOLDER / "recordings"
    if not own.is_dir():
        try:
            with locked(folder, FOLDER, progress):
                if not own.is_dir():  # another run may have been first
                    _fetch(folder, own, progress, urls)
        except OSError as error:
            raise DataError(
                f"spoken digits are not in {own}, nor to be put there: {error}"
            ) from error
    return _read(own)


def _fetch(folder: Path, own: Path, progress: Progress, urls: Sequence[str]) -> None:
    """Unpack the archive that is there, or download and unpack it."""
    placed = [folder / FOLDER / name for name in ARCHIVES] + [folder / name for name in ARCHIVES]
    archive = next((path for path in placed if path.is_file()), None)
    downloaded = archive is None
    if archive is None:
        archive = placed[0]
        fetch(
            urls,
            archive,
            progress=progress,
            advice=f"Put the archive there, or its recordings, the wav files, into {own}.",
        )
    scratch = folder / FOLDER / "unpacked"
    shutil.rmtree(scratch, ignore_errors=True)
    try:
        unpack(archive, scratch, limit=LIMIT, progress=progress)
        found = sorted(path for path in scratch.rglob("recordings") if path.is_dir())
        if not found:
            raise DataError(f"{archive} holds no folder recordings; it is another archive")
        found[0].replace(own)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    if downloaded:
        archive.unlink()


def _read(own: Path) -> tuple[Recording, ...]:
    found, strange = [], []
    for path in sorted(own.glob("*.wav")):
        match = FILE_NAME.fullmatch(path.name)
        if match is None:
            strange.append(path.name)
        else:
            found.append(Recording(path, int(match[1]), match[2]))
    if strange:
        more = f" and {len(strange) - SHOWN} more" if len(strange) > SHOWN else ""
        raise DataError(
            f"{own}: {', '.join(strange[:SHOWN])}{more}: a recording's name is "
            "{digit}_{speaker}_{index}.wav; rename or remove them"
        )
    if not found:
        raise DataError(f"{own} holds no wav files; remove it, and they will be fetched")
    return tuple(found)

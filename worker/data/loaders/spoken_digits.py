"""Spoken digits, each with an image of the same digit.

The sounds are the Free Spoken Digit Dataset's (Jackson et al. 2018); the images are MNIST's, or
scikit-learn's bundled digits. A recording's split decides from which split of the images its
partner comes, so that neither a sound nor an image is in two splits.
"""

from pathlib import Path
from typing import Final

import numpy as np
import torch
from torch import Tensor

from contract.comparison.data import DigitsData, MnistData, SpokenDigitsData
from worker.data.dataset import ImageFiles, Pool
from worker.data.formats.audio import spectrograms
from worker.data.loaders import digits, mnist
from worker.data.loaders import spoken_digits_files as spoken_files
from worker.data.splits import Indices, split_by_item
from worker.reporting.progress import Progress

_STREAM: Final = 4
"""Tells this use of the data seed from others."""


def load(spec: SpokenDigitsData, folder: Path, progress: Progress) -> Pool:
    """Spectrograms [N, 1, bands, frames] with images [N, 1, H, W]; the fine label is the speaker
    of the digit, digit * speakers + speaker.

    Each digit of each speaker is split 60 : 20 : 20. Spectrograms are standardised by mean and
    deviation of those that train.

    Raises:
        DataError: recordings or images are missing or damaged.
        CancelledError: by `progress`.
    """
    recordings = spoken_files.complete(folder, progress)
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
    heard = (heard - known.mean()) / known.std()
    images = _images(spec, folder, progress)
    return Pool(
        items=torch.from_numpy(heard),
        labels=torch.from_numpy(labels),
        indices=indices,
        fine=torch.from_numpy(fine),
        visual=_partners(images, labels, indices, seed=spec.seed),
        recordings=tuple(one.path for one in recordings),
    )


def _images(spec: SpokenDigitsData, folder: Path, progress: Progress) -> Pool:
    if spec.images == "digits":
        return digits.load(DigitsData(seed=spec.seed), folder, progress)
    return mnist.load(MnistData(seed=spec.seed), folder, progress)


def _partners(images: Pool, labels: np.ndarray, indices: Indices, *, seed: int) -> Tensor:
    """For each label an image of that digit, from the same split; none twice while there are
    enough."""
    assert not isinstance(images.items, ImageFiles)
    rng = np.random.default_rng([seed, _STREAM])
    chosen = np.empty(len(labels), dtype=np.int64)
    for name in ("train", "validation", "test"):
        own, offered = getattr(indices, name), getattr(images.indices, name)
        for digit in range(10):
            wanting = own[labels[own] == digit]
            found = rng.permutation(offered[images.labels.numpy()[offered] == digit])
            chosen[wanting] = np.resize(found, len(wanting))
    return images.items[torch.from_numpy(chosen)]

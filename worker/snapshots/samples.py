"""Which held-out samples a snapshot shows, and what is told of them."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from contract.comparison.data import modalities
from contract.comparison.spec import ComparisonSpec
from contract.snapshots import Samples
from worker.data import ImageFiles, Items, Pool
from worker.snapshots.media import grid_columns, join_recordings, tile_side
from worker.torch_utils import stream_generator


@dataclass(frozen=True)
class SampleSet:
    """The samples of a run's snapshots; of one data section all runs have the same."""

    places: Tensor
    """[n] int64 places of the items in the validation split, rising."""
    samples: Samples
    pictures: tuple[Items, ...]
    """The items as pictures, a modality after the other; empty where they are none."""
    sounds: bytes | None = None
    """A wav file with the recordings of the first points, one behind another."""


def draw_samples(pool: Pool, spec: ComparisonSpec) -> SampleSet:
    """Draw the samples: at most `measure.snapshot_size` items of the validation split.

    Which ones follows the data's seed, so it is the same for every arm and seed.
    """
    validation = pool.indices.validation
    places = _at_most(spec.measure.snapshot_size, len(validation), spec.data.seed)
    own = np.asarray(validation)[places.numpy()]
    index = torch.from_numpy(np.ascontiguousarray(own))
    labels = pool.labels[index].tolist()
    fine = None if pool.fine is None else pool.fine[index].tolist()
    ids = own.tolist()

    paired = pool.visual is not None
    shown = _pictures(pool, spec, index)
    tile = max((tile_side(items) for items in shown), default=None)
    sounds, ends = None, None
    if pool.recordings is not None:
        sounds, ends = join_recordings([pool.recordings[place] for place in ids])
    points = len(ids) * (2 if paired else 1)
    samples = Samples(
        total=len(validation) * (2 if paired else 1),
        classes=_names(pool),
        labels=labels * 2 if paired else labels,
        fine=None if fine is None else fine + [-1] * len(ids) if paired else fine,
        modalities=["audio", "visual"] if paired else None,
        modality=[0] * len(ids) + [1] * len(ids) if paired else None,
        ids=ids * 2 if paired else ids,
        media="none" if not shown else "spectrogram" if _is_sound(spec) else "image",
        tile=tile,
        columns=grid_columns(points) if shown else None,
        sound_ends=ends,
    )
    return SampleSet(places, samples, shown, sounds)


def _at_most(size: int, count: int, seed: int) -> Tensor:
    order = torch.randperm(count, generator=stream_generator(seed, "snapshot"))
    return order[:size].sort().values


def _names(pool: Pool) -> list[str]:
    if pool.class_names is not None:
        return list(pool.class_names)
    return [str(label) for label in range(int(pool.labels.max()) + 1)]


def _pictures(pool: Pool, spec: ComparisonSpec, index: Tensor) -> tuple[Items, ...]:
    """The chosen items of every modality, where all of them can be looked at."""
    known = modalities(spec.data)
    if "vectors" in (known.items, known.visual):
        return ()
    both = (pool.items,) if pool.visual is None else (pool.items, pool.visual)
    return tuple(
        items.take(index.numpy()) if isinstance(items, ImageFiles) else items[index].clone()
        for items in both
    )


def _is_sound(spec: ComparisonSpec) -> bool:
    return modalities(spec.data).items == "spectrograms"

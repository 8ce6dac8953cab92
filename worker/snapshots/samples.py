"""The held-out samples that a run's snapshots show, and what pages need to show them."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from contract.comparison.data import modalities
from contract.comparison.spec import ComparisonSpec
from contract.snapshots import Samples
from worker.data import ImageFiles, Images, Pool, Texts
from worker.snapshots.media import grid_columns, join_recordings, tile_side
from worker.torch_utils import stream_generator


@dataclass(frozen=True)
class SampleSet:
    """The samples of a run's snapshots; the same for all runs with the same data section."""

    places: Tensor
    """[n] int64 rising places of the samples in the validation split."""
    description: Samples
    """Labels, classes and the layout of pictures and sounds, as pages get them."""
    pictures: tuple[Images, ...]
    """The samples as pictures, one modality after the other; empty if they are none."""
    sounds: bytes | None = None
    """A wav file with the recordings of the first modality, one after the other."""


def draw_samples(pool: Pool, spec: ComparisonSpec) -> SampleSet:
    """Draw at most `measure.snapshot_size` items of the validation split; of data that come as
    tuples, the items of whole tuples.

    The data's seed decides which, so they are the same for every arm and seed. Paired data give two
    points for each item, one in each modality.

    Args:
        pool: all items of the data set, with the indices of its splits.
        spec: of the comparison.

    Raises:
        DataError: a recording cannot be read any more.
    """
    validation = pool.indices.validation
    if pool.tuples is None:
        places = _draw_places(spec.measure.snapshot_size, len(validation), spec.data.seed)
    else:
        rows = pool.tuples.part("validation").places.numpy()
        of_rows = torch.from_numpy(np.searchsorted(validation, rows))
        places = _draw_rows(spec.measure.snapshot_size, of_rows, spec.data.seed)
    chosen = np.asarray(validation)[places.numpy()]
    index = torch.from_numpy(np.ascontiguousarray(chosen))
    classes, labels = _class_names(pool), pool.labels[index].tolist()
    if pool.tuples is not None:  # the groups of all items would be many
        held, of_samples = np.unique(labels, return_inverse=True)
        classes, labels = [classes[group] for group in held], of_samples.tolist()
    fine = None if pool.fine is None else pool.fine[index].tolist()
    ids = chosen.tolist()

    paired = pool.visual is not None
    pictures = _pictures(pool, spec, index)
    tile = max((tile_side(items) for items in pictures), default=None)
    sounds, ends = None, None
    if pool.recordings is not None:
        sounds, ends = join_recordings([pool.recordings[place] for place in ids])
    points = len(ids) * (2 if paired else 1)
    description = Samples(
        total=len(validation) * (2 if paired else 1),
        classes=classes,
        labels=labels * 2 if paired else labels,
        fine=None if fine is None else fine + [-1] * len(ids) if paired else fine,
        modalities=["audio", "visual"] if paired else None,
        modality=[0] * len(ids) + [1] * len(ids) if paired else None,
        ids=ids * 2 if paired else ids,
        media="none" if not pictures else "spectrogram" if _is_sound(spec) else "image",
        tile=tile,
        columns=grid_columns(points) if pictures else None,
        sound_ends=ends,
        texts=list(pool.items.take(chosen).beginnings) if isinstance(pool.items, Texts) else None,
        fine_names=None if pool.fine_names is None else list(pool.fine_names),
    )
    return SampleSet(places, description, pictures, sounds)


def _draw_places(size: int, count: int, seed: int) -> Tensor:
    """Return at most `size` of `count` places, rising."""
    order = torch.randperm(count, generator=stream_generator(seed, "snapshot"))
    return order[:size].sort().values


def _draw_rows(size: int, rows: Tensor, seed: int) -> Tensor:
    """Return the places of the items of whole tuples, rising: at most `size`, but one tuple."""
    order = torch.randperm(len(rows), generator=stream_generator(seed, "snapshot"))
    found: Tensor = rows[order[: max(1, size // rows.shape[1])]].unique()
    return found


def _class_names(pool: Pool) -> list[str]:
    if pool.class_names is not None:
        return list(pool.class_names)
    return [str(label) for label in range(int(pool.labels.max()) + 1)]


def _pictures(pool: Pool, spec: ComparisonSpec, index: Tensor) -> tuple[Images, ...]:
    """Return the chosen items of every modality, if all of them can be shown as pictures."""
    kinds = modalities(spec.data)
    if {"vectors", "texts"} & {kinds.items, kinds.visual}:
        return ()
    of_modalities = (pool.items,) if pool.visual is None else (pool.items, pool.visual)
    return tuple(
        items.take(index.numpy()) if isinstance(items, ImageFiles) else items[index].clone()
        for items in of_modalities
        if not isinstance(items, Texts)
    )


def _is_sound(spec: ComparisonSpec) -> bool:
    return modalities(spec.data).items == "spectrograms"

"""A frozen backbone's features of all items: from the cache, or computed into it."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from worker.data import ImageFiles, Items
from worker.encoders.backbone import Backbone
from worker.errors import DataError
from worker.features import cache as kept_arrays
from worker.features.decode import batches
from worker.features.digest import digest_of
from worker.progress import Progress

BATCH = 64


def features(
    items: Items, backbone: Backbone, device: torch.device, *, cache: Path, progress: Progress
) -> Tensor:
    """Features [N, F] float32 of all items, computed once for the same items and backbone.

    Raises:
        DataError: an image cannot be read, or its features are not finite.
        CancelledError: by `progress`; nothing half computed is kept.
    """
    key = f"{backbone.digest[:32]}-{digest_of(items, progress)[:32]}"

    @torch.inference_mode()
    def fill(made: np.ndarray) -> None:
        done = 0
        progress("computing features", done, len(items), "images")
        for batch in _batches(items, backbone):
            found = backbone(batch.to(device))
            if not found.isfinite().all():
                raise DataError(f"features of items {done} to {done + len(batch)} are not finite")
            made[done : done + len(batch)] = found.cpu().numpy()
            done += len(batch)
            progress("computing features", done, len(items), "images")

    found = kept_arrays.kept(
        cache / "features", key, (len(items), backbone.features), fill, progress
    )
    return torch.from_numpy(np.array(found))


def _batches(items: Items, backbone: Backbone) -> Iterator[Tensor]:
    if isinstance(items, ImageFiles):
        return batches(items, resize=backbone.resize, crop=backbone.crop, size=BATCH)
    return iter(torch.split(items, BATCH))

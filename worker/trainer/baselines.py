"""What results are held against, besides the untrained encoder: the raw backbone, and chance."""

from torch.nn import functional

from contract.metrics import BACKBONE_PREFIX, CHANCE_PREFIX, TEST_PREFIX
from worker import measure
from worker.data import Dataset, Split
from worker.trainer.inputs import Inputs


def references(inputs: Inputs) -> dict[str, float]:
    """Values by metric key with the reference's prefix; both splits', for nothing is chosen by
    them."""
    return {**_chance(inputs.data), **(_raw_backbone(inputs.data) if inputs.raw_backbone else {})}


def _raw_backbone(data: Dataset) -> dict[str, float]:
    """A frozen backbone's own features, L2-normalised, measured as if they were embeddings."""
    return {
        f"{BACKBONE_PREFIX}{prefix}{key}": value
        for prefix, split in (("", data.validation), (TEST_PREFIX, data.test))
        for key, value in _measured(split).items()
    }


def _measured(split: Split) -> dict[str, float]:
    features = functional.normalize(split.items, dim=1)
    values = {
        **measure.geometry(features, split.labels),
        **measure.retrieval(features, split.labels),
    }
    if split.fine is not None and measure.left_out(split.fine) < len(split.fine):
        values |= measure.detail(features, split.fine)
    return values


def _chance(data: Dataset) -> dict[str, float]:
    """What a random ranking of the other modality would give."""
    return {
        f"{CHANCE_PREFIX}{prefix}{key}": value
        for prefix, split in (("", data.validation), (TEST_PREFIX, data.test))
        if split.visual is not None
        for key, value in measure.chance(split.labels, split.labels).items()
    }

"""What the results of a training are worth: values of the untrained encoder, of a frozen backbone
without a head, and of chance."""

import copy
from collections.abc import Iterable, Mapping, Set

import torch
from torch import Tensor
from torch.nn import functional

from contract.metrics import BACKBONE_PREFIX, CHANCE_PREFIX, TEST_PREFIX
from worker import measure
from worker.data import Split
from worker.losses import Loss, TupleLoss
from worker.reporting import signs_of_life
from worker.trainer.evaluation import has_fine_pairs
from worker.trainer.families import ALL, Family
from worker.trainer.inputs import Inputs
from worker.trainer.model import Model, compute_loss
from worker.trainer.tuple_evaluation import tuple_values


def reference_values(inputs: Inputs, families: Set[Family] = ALL) -> dict[str, float]:
    """Return values by metric key with the prefix of the reference; of both splits, because nothing
    is chosen by them.

    Args:
        inputs: of the run; a trial's have no test split.
        families: of measures.
    """
    splits = {"": inputs.data.validation}
    if len(inputs.data.test):
        splits[TEST_PREFIX] = inputs.data.test
    return {
        **_chance(splits, families),
        **(_raw_backbone(splits, families) if inputs.raw_backbone else {}),
    }


def _raw_backbone(splits: Mapping[str, Split], families: Set[Family]) -> dict[str, float]:
    """Measure the L2-normalised features of a frozen backbone as if they were embeddings."""
    return {
        f"{BACKBONE_PREFIX}{prefix}{key}": value
        for prefix, split in splits.items()
        for key, value in _measure_features(split, families).items()
    }


def _measure_features(split: Split, families: Set[Family]) -> dict[str, float]:
    features = functional.normalize(split.items, dim=1)
    if split.rows is not None:
        return tuple_values(features, split, families)
    values: dict[str, float] = {}
    if "geometry" in families:
        values |= measure.geometry(features, split.labels, all_pairs="all_pairs" in families)
    if "retrieval" in families:
        values |= measure.retrieval(features, split.labels)
    if "detail" in families and has_fine_pairs(split):
        assert split.fine is not None
        values |= measure.detail(features, split.fine)
    return values


def _chance(splits: Mapping[str, Split], families: Set[Family]) -> dict[str, float]:
    """Return the values that a random ranking of the other modality would have."""
    return {
        f"{CHANCE_PREFIX}{prefix}{key}": value
        for prefix, split in splits.items()
        if split.visual is not None and "cross_modal" in families
        for key, value in measure.chance(split.labels, split.labels).items()
    }


@torch.no_grad()
def untrained_values(
    model: Model,
    loss: Loss | TupleLoss,
    train: Split,
    batches: Iterable[Tensor],
    generator: torch.Generator,
) -> dict[str, float]:
    """Return the mean loss over all valid tuples of an epoch before any step, and the active share.

    They are the values of step 0, with which later losses are compared. Copies of model and loss
    are used, so that running statistics of the real ones do not change.
    """
    model, loss = copy.deepcopy(model), copy.deepcopy(loss)
    seen = torch.zeros(3, dtype=torch.float64, device=train.labels.device)
    uncounted = torch.zeros(2, dtype=torch.float64, device=train.labels.device)
    for batch in batches:
        part = train.batch(batch)
        output = compute_loss(loss, model(part), part, generator)
        totals = [part.total.to(torch.float64) for part in output.parts.values()]
        if totals:
            seen += torch.stack([torch.stack(totals).sum(), output.active, output.valid])
        else:  # a plug-in that does not tell its tuples: the mean of its own value
            uncounted += torch.stack([output.value.to(torch.float64), torch.ones_like(seen[0])])
        signs_of_life.sign()
    value, count = uncounted.tolist()
    return mean_untrained(*seen.tolist()) or ({"dynamics.loss": value / count} if count else {})


def mean_untrained(total: float, active: float, valid: float) -> dict[str, float]:
    """Return the values of an epoch before any step by metric key; none without a valid tuple.

    Args:
        total: sum of the losses of all valid tuples.
        active: number of active tuples.
        valid: number of valid tuples.
    """
    if not valid:
        return {}
    return {"dynamics.loss": total / valid, "dynamics.active_ratio": active / valid}

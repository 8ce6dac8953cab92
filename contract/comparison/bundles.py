"""Which runs may be trained together as one computation, a bundle. Pure functions of their specs,
so that the API, which hands out bundles, and the trainer, which computes them, agree.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

from contract.comparison.data import shape_of
from contract.comparison.encoder import MlpEncoder, Pretrained, is_frozen
from contract.comparison.loss import PluginLoss
from contract.comparison.spec import Arm, ComparisonSpec
from contract.comparison.training import Training

MOST_RUNS: Final = 24
"""Runs of a bundle at most; more gain nothing."""
MOST_ITEMS: Final = 255
"""Largest batch."""
MOST_HIDDEN: Final = 512
"""Widest layer: networks of up to about a million weights. Beyond these sizes a step is long enough
to keep a core busy alone."""
MOST_EMBEDDING: Final = 1024


def is_eligible(spec: ComparisonSpec, arm: Arm, device: str) -> bool:
    """Return whether a run is trained by the engine of bundles, alone or with others.

    It is where the data have classes, the network is a small stack of linear layers (an MLP, or
    the head of a frozen model) on one modality, the batch has less than 256 items that are not
    augmented, and the loss is one of ours, over all tuples by Euclidean distance or a softmax; in
    float32 and on a CPU.

    Args:
        spec: that the run is trained by.
        arm: of the spec.
        device: class of the device on which it trains.
    """
    return (
        device == "cpu"
        and not isinstance(arm.loss, PluginLoss)
        and shape_of(spec.data) is None
        and spec.visual_encoder is None
        and _is_small_stack(spec)
        and _is_plain(spec.training_of(arm))
        and getattr(arm.loss, "selection", "all") == "all"
        and getattr(arm.loss, "distance", "euclidean") == "euclidean"
    )


def bundle_key(spec: ComparisonSpec, arm: Arm, seed: int, device: str) -> str | None:
    """Return what a run has in common with all runs of its comparison that may be trained with it;
    None if it is trained alone.

    Runs of a bundle may differ in their seeds and in every number of loss and optimiser, nothing
    else.

    Args:
        spec: that the run is trained by, which for a trial has the trial's settings.
        arm: of the spec.
        seed: of the run, one of the spec's.
        device: class of the device on which it trains.
    """
    if not is_eligible(spec, arm, device):
        return None
    training = spec.training_of(arm)
    shared = {
        "data": spec.data_of(seed).model_dump(mode="json"),
        "encoder": spec.encoder.model_dump(mode="json"),
        "measure": spec.measure.model_dump(mode="json"),
        "trial": spec.trial and spec.trial.model_dump(mode="json"),
        "tests_last_epoch": spec.tests_last_epoch,
        "training": training.model_dump(mode="json", exclude={"optimizer"}),
        "optimizer": _words(training.optimizer.model_dump()),
        "loss": _words(arm.loss.model_dump()),
    }
    return json.dumps(shared, sort_keys=True)


def _words(settings: Mapping[str, Any]) -> dict[str, str]:
    """Return the settings that are words; the others are numbers, or none."""
    return {name: value for name, value in settings.items() if isinstance(value, str)}


def _is_small_stack(spec: ComparisonSpec) -> bool:
    encoder = spec.encoder
    if encoder.embedding_dim > MOST_EMBEDDING:
        return False
    if isinstance(encoder, MlpEncoder):
        hidden = encoder.hidden if encoder.layers else 0
        return hidden <= MOST_HIDDEN and encoder.layers * hidden**2 <= 10**6
    if not isinstance(encoder, Pretrained):
        return False
    return is_frozen(encoder) and encoder.hidden <= MOST_HIDDEN


def _is_plain(training: Training) -> bool:
    return (
        training.batch_size <= MOST_ITEMS
        and training.augmentation == "none"
        and training.precision == "float32"
    )

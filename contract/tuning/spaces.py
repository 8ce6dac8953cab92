"""The search space of each kind of loss that is ready-made, for arms that declare none."""

from collections.abc import Mapping
from typing import Final

from pydantic import TypeAdapter

from contract.comparison.data import Data, OwnData, class_count
from contract.comparison.loss import KINDS_WITH_PARAMETERS, ContrastiveLoss, PluginLoss
from contract.comparison.plugins import SEARCH, PluginEntry, Plugins, entry_of, parameters_of
from contract.comparison.spec import Arm, ComparisonSpec
from contract.comparison.training import MPerClassSampler, Training
from contract.comparison.tuning import Choices, Range, Search, Space

_TEMPERATURE: Final = Range(low=0.005, high=1.0, log=True)

OF_LOSS: Final[Mapping[str, Mapping[str, Space]]] = {
    "contrastive": {
        "loss.margin": Range(low=0.1, high=2.0),
        "loss.positive_margin": Range(low=0.0, high=0.5),
        "loss.pull_weight": Range(low=0.1, high=0.9),
    },
    "triplet": {"loss.margin": Range(low=0.02, high=2.0, log=True)},
    "n_pair": {"loss.scale": Range(low=1.0, high=100.0, log=True)},
    "info_nce": {"loss.temperature": _TEMPERATURE},
    "arcface": {
        "loss.margin": Range(low=0.0, high=0.8),
        "loss.scale": Range(low=4.0, high=128.0, log=True),
    },
    "sup_con": {"loss.temperature": _TEMPERATURE},
    "center_contrastive": {"loss.temperature": _TEMPERATURE},
    "cosent": {"loss.scale": Range(low=1.0, high=100.0, log=True)},
}
"""Kind of loss -> spaces of its own settings."""
LOSS_LR: Final = Range(low=1e-4, high=1e-1, log=True)
"""Of the losses that have parameters."""
LR: Final[Mapping[str, Range]] = {
    "adam": Range(low=1e-4, high=1e-2, log=True),
    "adamw": Range(low=1e-4, high=1e-2, log=True),
    "sgd": Range(low=1e-3, high=1.0, log=True),
}
"""Kind of optimiser -> space of the learning rate."""
WEIGHT_DECAY: Final = Range(low=1e-6, high=1e-2, log=True)
M_CHOICES: Final = (2, 4, 8)
"""Items a class in a batch."""
NONE: Final[Plugins] = {}
"""No plug-ins."""
_SPACE: Final[TypeAdapter[Space]] = TypeAdapter(Space)
_FINE_GRAINED_CLASSES: Final = 48
"""No more classes than any fine-grained image set trains with, in halves of a training half too."""


def default_space(loss: str, optimizer: str = "adam") -> dict[str, Space]:
    """Return the space of a kind of loss.

    Its pull weight has an effect under the reduction balanced only, and the items a class with the
    sampler `m_per_class` only; `space_of` leaves them out elsewhere.

    Args:
        loss: kind of the loss.
        optimizer: kind of the optimiser, on which the learning rate depends.
    """
    return {**OF_LOSS[loss], **_of_training(optimizer, trainable=loss in KINDS_WITH_PARAMETERS)}


def plugin_space(
    entry: PluginEntry, loss: PluginLoss | None = None, optimizer: str = "adam"
) -> dict[str, Space]:
    """Return the space of a plug-in: what its parameters' schemas declare.

    Args:
        entry: the plug-in.
        loss: as an arm has it, with its miner and its distance; None for the plug-in alone.
        optimizer: kind of the optimiser.
    """
    named = loss or PluginLoss(name=entry.name)
    declared = {
        f"loss.{path}": schema[SEARCH]
        for path, schema in parameters_of(entry, named).items()
        if SEARCH in schema
    }
    own = {path: _SPACE.validate_python(space) for path, space in declared.items()}
    return {**own, **_of_training(optimizer, trainable=entry.trainable)}


def _of_training(optimizer: str, *, trainable: bool) -> dict[str, Space]:
    space: dict[str, Space] = {"training.optimizer.lr": LR[optimizer]}
    space["training.optimizer.weight_decay"] = WEIGHT_DECAY
    if trainable:
        space["training.optimizer.loss_lr"] = LOSS_LR
    space["training.sampler.m"] = Choices(choices=list(M_CHOICES))
    return space


def space_of(
    arm: Arm, training: Training, data: Data, plugin: PluginEntry | None = None
) -> dict[str, Space]:
    """Return the ready-made space of an arm: that of its loss, without what has no effect.

    Every setting that is drawn from it is valid, if the arm as it is written is.

    Args:
        arm: of the spec.
        training: its training settings, see `ComparisonSpec.training_of`.
        data: of the spec.
        plugin: what is known of its loss, where that is a plug-in; without it only the training is
            searched.
    """
    if isinstance(arm.loss, PluginLoss):
        space = (
            _of_training(training.optimizer.kind, trainable=False)
            if plugin is None
            else plugin_space(plugin, arm.loss, training.optimizer.kind)
        )
    else:
        space = default_space(arm.loss.kind, training.optimizer.kind)
    if isinstance(arm.loss, ContrastiveLoss) and arm.loss.reduction != "balanced":
        del space["loss.pull_weight"]
    choices = _m_choices(training, data)
    if len(choices) > 1:
        space["training.sampler.m"] = Choices(choices=choices)
    else:
        del space["training.sampler.m"]
    return space


def completed(spec: ComparisonSpec, plugins: Plugins = NONE) -> ComparisonSpec:
    """Return a spec that is tuned with the ready-made space in each arm that declares none, so that
    the stored spec says all; any other spec as it is."""
    if spec.tuning is None:
        return spec
    arms = [
        arm.model_copy(update={"search": _ready(spec, arm, plugins)}) if not arm.search else arm
        for arm in spec.arms
    ]
    return spec.model_copy(update={"arms": arms})


def _ready(spec: ComparisonSpec, arm: Arm, plugins: Plugins) -> dict[str, Space]:
    return space_of(arm, spec.training_of(arm), spec.data, entry_of(arm, plugins))


def _m_choices(training: Training, data: Data) -> list[float | int | str]:
    """Return the items a class that these data allow in a batch: it divides evenly, and has two
    classes or more and no more than there are."""
    if not isinstance(training.sampler, MPerClassSampler):
        return []
    size, most = training.batch_size, most_classes(data)
    if most is None:
        most = size // training.sampler.m  # no more than in the arm as it is written
    return [m for m in M_CHOICES if size % m == 0 and 2 <= size // m <= most]


def most_classes(data: Data) -> int | None:
    """Return the most classes that the ready-made spaces put into a batch; None for a team's own
    data, whose classes are known only once they are read."""
    known = class_count(data)
    return known if known is not None or isinstance(data, OwnData) else _FINE_GRAINED_CLASSES


def as_json(space: Search) -> dict[str, dict[str, object]]:
    """Return a space as it stands in a spec."""
    return {path: one.model_dump(mode="json") for path, one in space.items()}

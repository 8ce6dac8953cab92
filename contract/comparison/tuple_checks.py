"""Rules of data that come as tuples: which losses, samplers and searches go with them."""

from collections.abc import Mapping, Sequence
from typing import Final

from contract.comparison.data import SHAPES, Data, TupleShape, shape_of
from contract.comparison.loss import Loss
from contract.comparison.problems import Problem
from contract.comparison.training import MPerClassSampler, Training

LOSS_SHAPES: Final[Mapping[str, tuple[TupleShape, ...]]] = {
    "contrastive": ("pairs", "triplets", "labelled_pairs"),
    "triplet": ("pairs", "triplets"),
    "info_nce": ("pairs", "triplets"),
    "cosent": ("labelled_pairs", "scored_pairs"),
}
"""Kind of loss -> the shapes of tuples that it trains on; other losses need class labels."""
TUPLES_ONLY: Final = ("cosent",)
"""Losses that cannot train on class labels."""


def losses_of(shape: TupleShape) -> list[str]:
    """Return the kinds of losses that train on tuples of a shape."""
    return [kind for kind, shapes in LOSS_SHAPES.items() if shape in shapes]


def loss_problems(data: Data, loss: Loss, path: str) -> list[Problem]:
    """Check that a loss goes with the shape of the data.

    Args:
        data: of the spec.
        loss: of an arm.
        path: of the arm in the spec.
    """
    shape = shape_of(data)
    if shape is None:
        if loss.kind not in TUPLES_ONLY:
            return []
        fitting = _listed([one for one in SHAPES if one in LOSS_SHAPES[loss.kind]])
        message = f"{loss.kind!r} trains on data of the shapes {fitting}; {data.kind!r} has classes"
        return [Problem(f"{path}.loss.kind", message)]
    if shape not in LOSS_SHAPES.get(loss.kind, ()):
        message = (
            f"{loss.kind!r} cannot train on data of the shape {shape!r}; take "
            f"{_listed(losses_of(shape))}"
        )
        return [Problem(f"{path}.loss.kind", message)]
    selection = getattr(loss, "selection", "all")
    if selection != "all":
        message = (
            f"{selection!r} picks tuples by classes; on data of the shape {shape!r} take 'all'"
        )
        return [Problem(f"{path}.loss.selection", message)]
    return []


def sampler_problems(data: Data, training: Training, path: str) -> list[Problem]:
    """Check that the sampler draws tuples, not classes."""
    if shape_of(data) is None or not isinstance(training.sampler, MPerClassSampler):
        return []
    message = f"{training.sampler.kind!r} draws by class; {data.kind!r} has tuples: take 'shuffle'"
    return [Problem(f"{path}.sampler.kind", message)]


def _listed(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names))

"""The class that computes each kind of loss on given tuples."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from pydantic import TypeAdapter

from contract.comparison.data import TupleShape
from contract.comparison.loss import Loss as LossSpec
from contract.comparison.tuple_checks import LOSS_SHAPES, losses_of
from worker.errors import InputError
from worker.losses.given.base import TupleLoss
from worker.losses.given.distances import GivenContrastive, GivenTriplet
from worker.losses.given.rankings import Cosent, GivenInfoNce

TUPLE_LOSSES: Final[dict[str, Callable[..., TupleLoss]]] = {
    "contrastive": GivenContrastive,
    "triplet": GivenTriplet,
    "info_nce": GivenInfoNce,
    "cosent": Cosent,
}
_SPEC: Final[TypeAdapter[LossSpec]] = TypeAdapter(LossSpec)


def build_for_tuples(spec: LossSpec | Mapping[str, Any], shape: TupleShape) -> TupleLoss:
    """Build the loss of a spec for given tuples.

    Args:
        spec: a spec of `contract.comparison.loss`, or the same as JSON, for example
            `{"kind": "info_nce", "temperature": 0.05}`.
        shape: of the tuples.

    Raises:
        pydantic.ValidationError: the settings are not valid.
        InputError: the loss cannot train on tuples of this shape.
    """
    parsed = _SPEC.validate_python(spec)
    if shape not in LOSS_SHAPES.get(parsed.kind, ()):
        fitting = ", ".join(map(repr, losses_of(shape)))
        raise InputError(
            f"loss: {parsed.kind!r} cannot train on tuples of the shape {shape!r}; take {fitting}"
        )
    return TUPLE_LOSSES[parsed.kind](parsed)

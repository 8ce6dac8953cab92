"""Which class computes which kind of loss."""

from collections.abc import Mapping
from typing import Any, Final

from pydantic import TypeAdapter

from contract.loss import Loss as LossSpec
from worker.losses.base import Loss
from worker.losses.contrastive import Contrastive
from worker.losses.triplet import Triplet

LOSSES: Final[dict[str, Any]] = {
    "contrastive": Contrastive,
    "triplet": Triplet,
}
_SPEC: Final[TypeAdapter[LossSpec]] = TypeAdapter(LossSpec)


def build(
    spec: LossSpec | Mapping[str, Any],
    *,
    classes: int | None = None,  # noqa: ARG001 - see below
    dim: int | None = None,  # noqa: ARG001
) -> Loss:
    """The loss of a spec, or of its JSON.

    Args:
        spec: one of contract.loss.
        classes: number of training classes; for losses with parameters of their own, of which
            there is none yet.
        dim: embedding size; likewise.

    Raises:
        pydantic.ValidationError: the settings are not valid.
    """
    parsed = _SPEC.validate_python(spec)
    loss: Loss = LOSSES[parsed.kind](parsed)
    return loss

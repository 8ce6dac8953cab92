"""The classes that compute each kind of loss, and how to build one from its spec."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from pydantic import TypeAdapter

from contract.comparison.loss import KINDS_WITH_PARAMETERS
from contract.comparison.loss import Loss as LossSpec
from contract.comparison.tuple_checks import TUPLES_ONLY
from worker.errors import InputError
from worker.losses.arcface import ArcFace
from worker.losses.base import Loss
from worker.losses.center_contrastive import CenterContrastive
from worker.losses.contrastive import Contrastive
from worker.losses.info_nce import InfoNce
from worker.losses.n_pair import NPair
from worker.losses.sup_con import SupCon
from worker.losses.triplet import Triplet

LOSSES: Final[dict[str, Callable[..., Loss]]] = {
    "contrastive": Contrastive,
    "triplet": Triplet,
    "n_pair": NPair,
    "info_nce": InfoNce,
    "arcface": ArcFace,
    "sup_con": SupCon,
    "center_contrastive": CenterContrastive,
}
_SPEC: Final[TypeAdapter[LossSpec]] = TypeAdapter(LossSpec)


def build(
    spec: LossSpec | Mapping[str, Any], *, classes: int | None = None, dim: int | None = None
) -> Loss:
    """Build the loss of a spec.

    A loss with trainable parameters draws their initial values from torch's global generator: seed
    that first.

    Args:
        spec: a spec of `contract.comparison.loss`, or the same as JSON, for example
            `{"kind": "triplet", "margin": 0.2}`.
        classes: number of training classes; needed by "arcface" and "center_contrastive".
        dim: size of the embeddings; needed by the same two.

    Returns:
        The loss, a `torch.nn.Module`.

    Raises:
        pydantic.ValidationError: the settings are not valid.
        InputError: `classes` or `dim` is needed and missing, or below 1; or the loss trains on
            given tuples only.
    """
    parsed = _SPEC.validate_python(spec)
    if parsed.kind in TUPLES_ONLY:
        raise InputError(f"loss: {parsed.kind!r} trains on tuples; see build_for_tuples")
    if parsed.kind not in KINDS_WITH_PARAMETERS:
        return LOSSES[parsed.kind](parsed)
    for name, given in (("classes", classes), ("dim", dim)):
        if given is None or given < 1:
            raise InputError(f"{name}: {parsed.kind} needs a number from 1 up, got {given}")
    return LOSSES[parsed.kind](parsed, classes=classes, dim=dim)

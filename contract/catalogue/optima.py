"""The best settings that a published benchmark found for losses that it tuned alike: Musgrave et
al. 2020, https://kevinmusgrave.github.io/powerful-benchmarker, optimal hyperparameters.
"""

import math
from collections.abc import Mapping
from typing import Final

from contract.comparison.spec import Arm, ComparisonSpec

Values = Mapping[str, float]
"""Path of a setting -> its best value."""


def _reality_check(
    positive: float, margin: float, temperature: float | None, degrees: float, scale: float
) -> dict[str, Values]:
    return {
        # Below 0 the positive margin has no effect.
        "contrastive": {"loss.margin": margin, "loss.positive_margin": max(0.0, positive)},
        "info_nce": {} if temperature is None else {"loss.temperature": temperature},
        "arcface": {"loss.margin": math.radians(degrees), "loss.scale": scale},
    }


_OPTIMA: Final[Mapping[str, Mapping[str, Values]]] = {
    "cub200": _reality_check(-0.2, 0.3841, 0.0091, 23.22, 100.0),
    "cars196": _reality_check(0.2652, 0.5409, 0.0219, 20.52, 49.5),
    "sop": _reality_check(0.285, 0.513, None, 18.63, 220.3),
}
"""Data set -> kind of loss -> its values with batches of 32. The triplet loss is left out: its
margin is one of distances there and of squared ones here. So is a value that no setting here can
have, InfoNCE's temperature of 0.0002 on SOP."""


def published_optimum(spec: ComparisonSpec, arm: Arm, path: str) -> float | None:
    """Return the value of a setting that the reality check found best on the same data, or None.

    Args:
        spec: whose data and network they are; margins compare on unit vectors only.
        arm: of the spec.
        path: of the setting.
    """
    comparable = getattr(arm.loss, "distance", "euclidean") == "euclidean"
    if not spec.encoder.normalize or not comparable:
        return None
    return _OPTIMA.get(spec.data.kind, {}).get(arm.loss.kind, {}).get(path)

"""How fast a loss falls; pure functions of its initial value and its mean in each epoch.

The initial value is the untrained network's, from a full pass before the first step. An epoch
without a mean (None) had no step with a loss; it is passed over.
"""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

DECAYED: Final = 0.1
"""Share of the initial loss at which it counts as decayed."""
HALVED: Final = 0.5


@dataclass(frozen=True)
class Decay:
    """After how many epochs the loss has fallen to a share of its initial value."""

    epochs: int
    """The first epoch whose mean is low enough; where censored, the epochs trained."""
    censored: bool = False
    """No epoch's was: the number is more than `epochs`, and nobody knows which."""


def decay(initial: float | None, means: Sequence[float | None], share: float) -> Decay | None:
    """The first epoch with mean <= share * initial.

    Args:
        initial: the loss of the untrained network.
        means: of epochs 1, 2, ...
        share: of the initial value, as DECAYED or HALVED.

    Returns:
        None where it is not defined: no initial value, none above 0, or no epoch.
    """
    if initial is None or initial <= 0 or all(mean is None for mean in means):
        return None
    for epoch, mean in enumerate(means, start=1):
        if mean is not None and mean <= share * initial:
            return Decay(epoch)
    return Decay(len(means), censored=True)


def auc(initial: float | None, means: Sequence[float | None]) -> float | None:
    """Area under the normalised loss curve: the mean over epochs of mean / initial.

    Returns:
        None where it is not defined, as for decay.
    """
    known = [mean for mean in means if mean is not None]
    if initial is None or initial <= 0 or not known:
        return None
    return statistics.fmean(known) / initial

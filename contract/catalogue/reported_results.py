"""What papers report of contrastive and triplet loss, read second-hand: in summaries, not in the
papers themselves. Their seeds, spread and epoch of reading are not known."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Reported:
    """One figure of both losses."""

    what: str
    a: float
    """Contrastive."""
    b: float
    """Triplet."""
    unit: str = ""
    source: str = "Zeng 2025, arXiv 2510.02161"
    second_hand: bool = True


def _mlrc(data: str, contrastive: float, triplet: float) -> Reported:
    what = f"{data}: MAP@R, tuned alike, cross-validated"
    return Reported(what, contrastive, triplet, "", "Musgrave et al. 2020, arXiv 2003.08505")


LOSS_DECAY: Final = Reported("loss-decay", 27, 43, "epochs")
ACTIVE_RATIO: Final = Reported("active ratio", 0.65, 0.38)
GRADIENT_NORM: Final = Reported("gradient norm", 0.12, 0.27)
INTRA: Final = Reported("synthetic data: intra-class variance, the second about", 1, 2.4)
ACCURACY: Final = Reported("CIFAR-10: accuracy", 0.8998, 0.9371)
RECALL: Final = (
    Reported("CIFAR-10: Recall@1", 0.8433, 0.9192),
    Reported("CARS196: Recall@1", 0.2542, 0.2982),
    Reported("CUB-200: Recall@1", 0.3154, 0.3421),
)

REPORTED: Final[dict[str, tuple[Reported, ...]]] = {
    "z25-synthetic": (INTRA, LOSS_DECAY, ACTIVE_RATIO, GRADIENT_NORM),
    "z25-cifar10": (ACCURACY,),
    "z25-retrieval": RECALL,
    "mlrc": (
        _mlrc("CUB", 0.437, 0.424),
        _mlrc("Cars196", 0.221, 0.222),
        _mlrc("SOP", 0.411, 0.385),
    ),
}
"""By the id of the preset that follows the protocol."""

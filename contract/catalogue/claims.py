"""The nine claims that a verdict judges: eight of Zeng 2025 (arXiv 2510.02161) and one of ours.

With them the figures that papers report for contrastive and triplet loss. They come from summaries,
not from the papers themselves; their seeds, spread and epoch are not known.
"""

from dataclasses import dataclass
from typing import Final, Literal


@dataclass(frozen=True)
class Reported:
    """A figure that a paper reports for both losses."""

    what: str
    a: float
    """Value of contrastive loss."""
    b: float
    """Value of triplet loss."""
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
"""Id of the preset that follows a paper's protocol -> what the paper reports."""


Expected = Literal["greater", "less"]
"""Whether the contrastive arm should have the greater or the smaller value."""


@dataclass(frozen=True)
class Evidence:
    """One metric that a claim is judged by."""

    metric: str
    expected: Expected


@dataclass(frozen=True)
class Claim:
    """A statement about contrastive (a) and triplet (b) loss that data can contradict."""

    id: int
    wording: str
    """The claim with placeholders {a} and {b} for the names of the two arms."""
    evidence: tuple[Evidence, ...]
    reported: tuple[Reported, ...] = ()

    def text(self, a: str = "Contrastive", b: str = "Triplet") -> str:
        """Return the claim in words, with the names of two arms."""
        return self.wording.format(a=a, b=b)


def _all(expected: Expected, *metrics: str) -> tuple[Evidence, ...]:
    return tuple(Evidence(metric, expected) for metric in metrics)


def _raw_and_scale_free(metric: str) -> tuple[Evidence, ...]:
    """Return a variance, raw and scale-free: an encoder that stretches the space inflates only the
    first."""
    return _all("less", f"test.geometry.{metric}", f"test.geometry.{metric}.scale_free")


CLAIMS: Final = (
    Claim(
        1,
        "{b} keeps more intra-class variance",
        _raw_and_scale_free("intra_class_variance"),
        (INTRA,),
    ),
    Claim(2, "{b} spreads the classes farther apart", _raw_and_scale_free("inter_class_variance")),
    Claim(
        3,
        "{a} has more active tuples early",
        _all("greater", "dynamics.active_ratio.early"),
        (ACTIVE_RATIO,),
    ),
    Claim(
        4,
        "{b} has the larger gradient per active tuple",
        _all("less", "dynamics.gradient_norm.per_active.mean"),
        (GRADIENT_NORM,),
    ),
    Claim(
        5,
        "{a}'s loss decays in fewer epochs",
        _all("less", "dynamics.loss_decay_epochs"),
        (LOSS_DECAY,),
    ),
    Claim(
        6,
        "{b} keeps a larger share of its gradient late",
        _all("less", "dynamics.gradient_norm.late_share"),
    ),
    Claim(
        7,
        "{b} classifies better",
        _all(
            "less",
            "test.classification.knn_accuracy_5",
            "test.classification.linear_probe_accuracy",
        ),
        (ACCURACY,),
    ),
    Claim(
        8,
        "{b} retrieves better",
        _all("less", "test.retrieval.recall_at_1", "test.retrieval.map_at_r"),
        (*RECALL, *REPORTED["mlrc"]),
    ),
    Claim(9, "{b} retains more detail", _all("less", "test.detail.recall_at_1")),
)

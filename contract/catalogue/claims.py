"""The nine claims that a verdict judges: eight of Zeng 2025 (arXiv 2510.02161) and one of ours.

With them the figures that papers report for contrastive and triplet loss. They come from summaries,
not from the papers themselves; their seeds, spread and epoch are not known.
"""

from dataclasses import dataclass
from typing import Final, Literal

from contract.metrics import TEST_LAST_PREFIX, TEST_PREFIX


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

    @property
    def part(self) -> str:
        """Which epoch of the test split it reads; empty for a metric of the training."""
        if self.metric.startswith(TEST_LAST_PREFIX):
            return "last epoch"
        return "best epoch" if self.metric.startswith(TEST_PREFIX) else ""


@dataclass(frozen=True)
class Claim:
    """A statement about contrastive (a) and triplet (b) loss that data can contradict.

    It is judged twice: by the measure as the paper took it, and in a robust form, of several parts
    that must all agree. The word of the claim is the robust form's.
    """

    id: int
    wording: str
    """The claim with placeholders {a} and {b} for the names of the two arms."""
    as_reported: tuple[Evidence, ...]
    """The measure as the paper took it."""
    robust: tuple[Evidence, ...]
    reported: tuple[Reported, ...] = ()
    robust_across: tuple[Evidence, ...] = ()
    """The robust form where the data have two modalities; empty if it is the same."""
    true_by_construction: str = ""
    """Why the measure as reported comes out as claimed, whatever the data; empty if it need not."""
    related: str = ""
    """Work of others on the same question."""

    def robust_form(self, *, across: bool) -> tuple[Evidence, ...]:
        """Return the parts of the robust form.

        Args:
            across: whether the data have two modalities.
        """
        return self.robust_across if across and self.robust_across else self.robust

    def text(self, a: str = "Contrastive", b: str = "Triplet") -> str:
        """Return the claim in words, with the names of two arms."""
        return self.wording.format(a=a, b=b)


def _all(expected: Expected, *metrics: str) -> tuple[Evidence, ...]:
    return tuple(Evidence(metric, expected) for metric in metrics)


def _less_at_both_epochs(metric: str) -> tuple[Evidence, ...]:
    return _all("less", f"{TEST_PREFIX}{metric}", f"{TEST_LAST_PREFIX}{metric}")


_CLASSIFICATION: Final = _all(
    "less", "test.classification.knn_accuracy_5", "test.classification.linear_probe_accuracy"
)
_RETRIEVAL: Final = _all("less", "test.retrieval.recall_at_1", "test.retrieval.map_at_r")

CLAIMS_VERSION: Final = 2
"""Of the claims, their metrics and the rules that judge them; version 1 was that of 0.5."""

CLAIMS: Final = (
    Claim(
        1,
        "{b} keeps more intra-class variance",
        _all("less", "test.geometry.intra_class_variance"),
        _less_at_both_epochs("geometry.intra_class_variance.scale_free"),
        (INTRA,),
    ),
    Claim(
        2,
        "{b} spreads the classes farther apart",
        _all("less", "test.geometry.inter_class_variance"),
        _less_at_both_epochs("geometry.inter_class_variance.scale_free"),
    ),
    Claim(
        3,
        "{a} has more active tuples early",
        _all("greater", "dynamics.active_ratio.early"),
        _all(
            "greater",
            "dynamics.active_ratio.pushing.early",
            "dynamics.active_ratio.pushing_anchors.early",
        ),
        (ACTIVE_RATIO,),
    ),
    Claim(
        4,
        "{b} makes stronger updates",
        _all("less", "dynamics.gradient_norm.per_active.mean"),
        _all("less", "dynamics.update_norm.mean"),
        (GRADIENT_NORM,),
        true_by_construction="The gradient norm per active tuple is larger for triplet by "
        "construction: positive pairs never switch off while their gradient vanishes, so they "
        "count in the contrastive loss's mean without moving the encoder.",
    ),
    Claim(
        5,
        "{a} learns in fewer epochs",
        _all("less", "dynamics.loss_decay_epochs"),
        _all("less", "retrieval.map_at_r.epochs_to_common"),
        (LOSS_DECAY,),
    ),
    Claim(
        6,
        "{b} keeps learning for longer",
        _all("less", "dynamics.gradient_norm.late_share"),
        _all("less", "dynamics.update_norm.late_share"),
    ),
    Claim(7, "{b} classifies better", _CLASSIFICATION, _CLASSIFICATION, (ACCURACY,)),
    Claim(
        8,
        "{b} retrieves better",
        _RETRIEVAL,
        _RETRIEVAL,
        (*RECALL, *REPORTED["mlrc"]),
        robust_across=_all(
            "less", "test.retrieval.audio_to_visual.map", "test.retrieval.visual_to_audio.map"
        ),
    ),
    Claim(
        9,
        "{b} retains more detail",
        _all("less", "test.detail.recall_at_1"),
        _less_at_both_epochs("detail.recall_at_1"),
        related="How a loss collapses classes, and what that costs when coarse labels are "
        "transferred to finer ones: Chen et al. 2022, arXiv 2204.07596.",
    ),
)

"""What the Method page says beyond the catalogue: groups of metrics, and the rules of a fair
comparison. docs/METHOD.md says the same at more length."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

Metric = Mapping[str, Any]

NOTATION: Final = r"""
A batch holds embeddings $z_i$ of classes $y_i$; $d_{ij} = \lVert z_i - z_j \rVert_2$ is the
distance of two and $s_{ij} = d_{ij}^2$ its square. A *tuple* is what a loss is made of: a pair for
the contrastive loss, a triplet for the triplet loss. A tuple is *valid* ($V$) if the batch holds
it, and *active* ($A$) if its loss is above zero, that is, if it still moves the encoder.
"""


@dataclass(frozen=True)
class Group:
    """Metrics that answer one question."""

    title: str
    question: str
    prefixes: tuple[str, ...]
    """First parts of their keys."""


GROUPS: Final = (
    Group(
        "Dynamics",
        "How a loss goes about its work: on everything at once, or on ever fewer, harder tuples? "
        "Logged at every optimiser step.",
        ("dynamics",),
    ),
    Group(
        "Geometry",
        "How the classes lie in the embedding space. Measured on held-out items, at epoch 0 (the "
        "untrained network) and at every evaluation.",
        ("geometry",),
    ),
    Group(
        "Classification and retrieval",
        "What the embeddings are good for. Measured on held-out items, at the same epochs.",
        ("classification", "retrieval"),
    ),
    Group(
        "Test",
        "The same measures on items by which nothing was chosen. Read once, at the end, with the "
        "weights of the best epoch.",
        ("test",),
    ),
)
OTHER: Final = Group("Other", "What is logged beside them.", ())


def grouped(metrics: Sequence[Metric]) -> list[tuple[Group, list[Metric]]]:
    """The metrics by group, each in the catalogue's order; groups without any are left out."""
    home = {prefix: group for group in GROUPS for prefix in group.prefixes}
    found: dict[Group, list[Metric]] = {group: [] for group in (*GROUPS, OTHER)}
    for metric in metrics:
        found[home.get(_prefix(metric["key"]), OTHER)].append(metric)
    return [(group, members) for group, members in found.items() if members]


def wanted(metrics: Sequence[Metric], key: str) -> Metric | None:
    """The metric that an address asks for by key, a `test.` key included; None if unknown."""
    return next((metric for metric in metrics if metric["key"] == key), None)


def better(metric: Metric) -> str:
    """Which way is better, in words; "" where neither way is better by itself."""
    words = {"higher": "↑ higher is better", "lower": "↓ lower is better"}
    return words.get(metric["better"] or "", "")


@dataclass(frozen=True)
class Rule:
    """One thing to know before reading the numbers."""

    title: str
    text: str


RULES: Final = (
    Rule(
        "Paired by seed",
        "For one seed every arm starts from the same initial weights and sees the same batches in "
        "the same order, unless an arm overrides batch size or sampler. The split follows the data "
        "seed alone.",
    ),
    Rule(
        "Seeds are the replicates",
        "Tables show mean, standard deviation, number of runs and a 95 % interval (Student's t) "
        "over seeds. One run is an anecdote: it has no interval.",
    ),
    Rule(
        "Three splits",
        "60 % of each class trains, the rest is halved into validation and test. Curves show "
        "validation. The best epoch is the one with the highest validation MAP@R, the earliest on "
        "a tie; the test split is read once, with that epoch's weights. Its values have the same "
        "keys with `test.` in front.",
    ),
    Rule(
        "One denominator",
        "The loss to compare is the mean over all valid tuples, whatever reduction an arm trains "
        "with. Its parts are divided by the same number, so they add up to it.",
    ),
)

TRAPS: Final = (
    Rule(
        "Losses are not in one unit",
        "A contrastive loss of 0.1 is not better than a triplet loss of 0.2: the triplet loss "
        "compares squared distances, the contrastive loss squares the gap left to the margin. One "
        "margin asks for different things in the two. Compare what the embeddings do.",
    ),
    Rule(
        "Positive pairs never switch off",
        "A positive pair of the contrastive loss pulls at any distance above zero, so it counts as "
        "active for ever and holds the active ratio up. Read active positives and active negatives "
        "apart before calling a loss greedy.",
    ),
    Rule(
        "The gradient norm depends on the reduction",
        "Averaged over all tuples (`mean`) it falls as tuples switch off, over the active ones "
        "(`mean_active`) that keeps it up, and a `sum` grows with the number of tuples. Compare "
        "losses by the norm per active tuple, which does not depend on the reduction.",
    ),
    Rule(
        "Variance can be inflated",
        "An encoder that is not L2-normalised can stretch the space and raise both variances at "
        "will. The scale-free forms do not move; for unit vectors they equal the plain ones.",
    ),
    Rule(
        "Compact is not good in itself",
        "A class that has collapsed to a point has forgotten what tells its members apart.",
    ),
    Rule(
        "Missing is not zero",
        "A value that is not finite is kept as absent. A loss that becomes NaN ends its run, which "
        "says at which step.",
    ),
)


def _prefix(key: str) -> str:
    return key.partition(".")[0]

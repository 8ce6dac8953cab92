"""Every rule by which evidence decides a claim, and the sentence with the reasons."""

from collections.abc import Sequence

import pytest

from backend.metrics.measurements import Observation, PairedValues, pair_by_seed
from backend.verdict.evidence import Decision, JudgedEvidence, claim_decision, reason
from contract.catalogue.claims import Evidence, Expected

RECALL = "test.retrieval.recall_at_1"
MAP = "test.retrieval.map_at_r"
DECAY = "dynamics.loss_decay_epochs"
DETAIL = "test.detail.recall_at_1"

Value = float | str
"""A string is a bound that was not reached: ">50"."""


def paired(a: Sequence[Value], b: Sequence[Value]) -> PairedValues:
    def observed(values: Sequence[Value]) -> dict[int, Observation]:
        return {
            seed: Observation(float(v[1:]), censored=True) if isinstance(v, str) else Observation(v)
            for seed, v in enumerate(values)
        }

    return pair_by_seed(observed(a), observed(b))


def judged(
    a: Sequence[Value], b: Sequence[Value], metric: str = RECALL, expected: Expected = "less"
) -> JudgedEvidence:
    return JudgedEvidence(Evidence(metric, expected), paired(a, b), p_holm=None)


NOTHING = judged([], [])
LESS = judged([0.1, 0.12, 0.11], [0.3, 0.33, 0.31])
MORE = judged([0.3, 0.33, 0.31], [0.1, 0.12, 0.11])
NEITHER = judged([0.3, 0.1, 0.2], [0.2, 0.31, 0.1])


@pytest.mark.parametrize(
    ("a", "b", "when_less_is_claimed", "when_greater_is_claimed"),
    [
        ([0.1, 0.12, 0.11], [0.3, 0.33, 0.31], "supported", "contradicted"),
        ([0.3, 0.33, 0.31], [0.1, 0.12, 0.11], "contradicted", "supported"),
        ([0.3, 0.1, 0.2], [0.2, 0.31, 0.1], "undecided", "undecided"),  # zero lies within
        ([0.5, 0.5, 0.5], [0.4, 0.4, 0.4], "contradicted", "supported"),  # no spread: [d, d]
        ([0.5, 0.5, 0.5], [0.5, 0.5, 0.5], "undecided", "undecided"),  # no spread and d = 0
        ([0.1], [0.9], "undecided", "undecided"),  # one pair
        ([], [], "not_measured", "not_measured"),
    ],
)
def test_evidence_is_decided_by_the_interval(
    a: list[float],
    b: list[float],
    when_less_is_claimed: Decision,
    when_greater_is_claimed: Decision,
) -> None:
    assert judged(a, b).decision == when_less_is_claimed
    assert judged(a, b, expected="greater").decision == when_greater_is_claimed


def test_the_interval_decides_although_five_seeds_reach_no_p_below_005() -> None:
    one = judged([0.1, 0.12, 0.11, 0.1, 0.13], [0.3, 0.33, 0.31, 0.35, 0.3])
    assert one.paired.difference is not None
    assert one.paired.difference.p_value == 0.0625
    assert one.decision == "supported"


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        # Six pairs of one sign: p = 2 / 64 = 0.03125.
        ([5, 6, 5, 7, 6, 5], [">50", 40, 41, 42, 43, 44], "supported"),
        ([40, 41, 42, 43, 44, ">50"], [5, 6, 5, 7, 6, 5], "contradicted"),
        # Five pairs reach no p below 0.0625, however large their differences.
        ([5, 6, 5, 7, 6], [">50", 40, 41, 42, 43], "undecided"),
        # Six pairs, but one of them has the other sign.
        ([5, 6, 5, 7, 6, 45], [">50", 40, 41, 42, 43, 44], "undecided"),
        # A pair with two censored values is dropped: of six there are five left.
        ([5, 6, 5, 7, 6, ">50"], [30, 40, 41, 42, 43, ">50"], "undecided"),
        ([5, 6, 5, 7, 6, 5, ">50"], [30, 40, 41, 42, 43, 44, ">50"], "supported"),
        # No pair is left, but it was measured.
        ([">50", ">50"], [">50", ">50"], "undecided"),
        # Reached in the last epoch against not reached: the signs are known.
        ([50, 50, 50, 50, 50, 50], [">50", ">50", ">50", ">50", ">50", ">50"], "supported"),
    ],
)
def test_a_censored_decay_is_decided_by_the_signs(
    a: list[Value], b: list[Value], expected: Decision
) -> None:
    assert judged(a, b, DECAY).decision == expected


@pytest.mark.parametrize(
    ("evidence", "expected"),
    [
        ([LESS], "supported"),
        ([LESS, LESS], "supported"),
        ([MORE, MORE], "contradicted"),
        ([LESS, MORE], "undecided"),
        ([LESS, NEITHER], "undecided"),
        ([NEITHER, NEITHER], "undecided"),
        ([NOTHING, LESS], "supported"),  # of what is measured, all agree
        ([MORE, NOTHING], "contradicted"),
        ([NOTHING, NOTHING], "not_measured"),
    ],
)
def test_a_claim_is_decided_only_if_all_its_measured_evidence_agrees(
    evidence: list[JudgedEvidence], expected: Decision
) -> None:
    assert claim_decision(evidence) == expected


def test_means_are_those_of_the_pairs() -> None:
    one = JudgedEvidence(
        Evidence(RECALL, "less"),
        pair_by_seed(
            {0: Observation(0.1), 1: Observation(0.3), 2: Observation(9.0)},
            {0: Observation(0.2), 1: Observation(0.6)},
        ),
        p_holm=None,
    )
    assert one.mean_a == pytest.approx(0.2)
    assert one.mean_b == pytest.approx(0.4)
    one = judged([5, 6], [">50", 40], DECAY)
    assert (one.mean_a, one.mean_b) == (5.5, None)
    assert (NOTHING.mean_a, NOTHING.mean_b) == (None, None)


@pytest.mark.parametrize(
    ("evidence", "expected"),
    [
        (
            [judged([0.1, 0.2], [0.4, 0.5])],
            "Recall@1 (test): 0.15 in x against 0.45 in y, a mean difference of -0.3 "
            "(95 % interval -0.3 to -0.3) over 2 seeds, as claimed.",
        ),
        (
            [judged([0.4, 0.5], [0.1, 0.2])],
            "Recall@1 (test): 0.45 in x against 0.15 in y, a mean difference of +0.3 "
            "(95 % interval +0.3 to +0.3) over 2 seeds, the other way round than claimed.",
        ),
        (
            [judged([0.5, 0.5], [0.5, 0.5])],
            "Recall@1 (test): 0.5 in x against 0.5 in y, a mean difference of +0 "
            "(95 % interval +0 to +0) over 2 seeds, no difference at all.",
        ),
        (
            [judged([0.1], [0.9])],
            "Recall@1 (test): 0.1 in x against 0.9 in y, a mean difference of -0.8 over 1 seed; "
            "a single pair decides nothing.",
        ),
        (
            [judged([5, 6, ">50"], [">50", 40, ">50"], DECAY)],
            "Loss-decay epochs: a mean difference of -39.5 over 2 seeds, with 2 pairs censored "
            "(1 dropped); without an interval the sign-flip p = 0.5 decides, and is not below "
            "0.05.",
        ),
        (
            [judged([">50"], [">50"], DECAY)],
            "Loss-decay epochs: not reached in the epochs trained, so no pair (of 1) says which "
            "arm is ahead.",
        ),
        (
            [NOTHING, judged([], [], MAP)],
            "No seed has a value of Recall@1 (test) or MAP@R (test) in both arms.",
        ),
        (
            [judged([], [], DETAIL)],
            "No seed has a value of Detail retention (test) in both arms: it needs fine labels, "
            "and the data have none.",
        ),
    ],
)
def test_the_reason_is_a_sentence_with_the_figures(
    evidence: list[JudgedEvidence], expected: str
) -> None:
    assert reason(evidence, "x", "y") == expected


def test_the_reason_of_evidence_that_disagrees_or_is_missing() -> None:
    sentence = reason([LESS, judged([0.3, 0.1, 0.2], [0.2, 0.31, 0.1], MAP)], "x", "y")
    assert sentence.startswith(
        "The metrics do not agree: Recall@1 (test): 0.11 in x against 0.313 in"
    )
    assert "as claimed; MAP@R (test): 0.2 in x" in sentence
    assert sentence.endswith("over 3 seeds, which contains zero.")
    assert reason([LESS, judged([], [], MAP)], "x", "y").endswith(
        "over 3 seeds, as claimed; not measured: MAP@R (test)."
    )

"""Every rule by which evidence becomes a word and a sentence, and the caveats beside it."""

from collections.abc import Sequence

import pytest

from backend.db.models import Run
from backend.metrics.measurements import Observation, PairedValues, pair_by_seed
from backend.verdict.evidence import Judged, Word, claim_word, reason
from backend.verdict.wording import caveats
from contract.catalogue.claims import Evidence, Expected
from contract.comparison.spec import parse_spec
from tests.support.specs import small

RECALL = "test.retrieval.recall_at_1"
MAP = "test.retrieval.map_at_r"
DECAY = "dynamics.loss_decay_epochs"
DETAIL = "test.detail.recall_at_1"

Value = float | str
"""A string is a bound that was not reached: ">50"."""


def paired(a: Sequence[Value], b: Sequence[Value]) -> PairedValues:
    def known(values: Sequence[Value]) -> dict[int, Observation]:
        return {
            seed: Observation(float(v[1:]), censored=True) if isinstance(v, str) else Observation(v)
            for seed, v in enumerate(values)
        }

    return pair_by_seed(known(a), known(b))


def judged(
    a: Sequence[Value], b: Sequence[Value], metric: str = RECALL, expected: Expected = "less"
) -> Judged:
    return Judged(Evidence(metric, expected), paired(a, b), p_holm=None)


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
def test_evidence_rests_on_the_interval(
    a: list[float], b: list[float], when_less_is_claimed: Word, when_greater_is_claimed: Word
) -> None:
    assert judged(a, b).word == when_less_is_claimed
    assert judged(a, b, expected="greater").word == when_greater_is_claimed


def test_the_interval_decides_although_five_seeds_reach_no_p_below_005() -> None:
    one = judged([0.1, 0.12, 0.11, 0.1, 0.13], [0.3, 0.33, 0.31, 0.35, 0.3])
    assert one.paired.difference is not None
    assert one.paired.difference.p_value == 0.0625
    assert one.word == "supported"


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        # Six pairs of one sign: p = 2 / 64 = 0.03125.
        ([5, 6, 5, 7, 6, 5], [">50", 40, 41, 42, 43, 44], "supported"),
        ([40, 41, 42, 43, 44, ">50"], [5, 6, 5, 7, 6, 5], "contradicted"),
        # Five reach no p below 0.0625, however far apart.
        ([5, 6, 5, 7, 6], [">50", 40, 41, 42, 43], "undecided"),
        # Six, but one of them lies the other way.
        ([5, 6, 5, 7, 6, 45], [">50", 40, 41, 42, 43, 44], "undecided"),
        # A pair with neither reached is dropped: of six there are five left.
        ([5, 6, 5, 7, 6, ">50"], [30, 40, 41, 42, 43, ">50"], "undecided"),
        ([5, 6, 5, 7, 6, 5, ">50"], [30, 40, 41, 42, 43, 44, ">50"], "supported"),
        # Nothing is left; yet it was measured.
        ([">50", ">50"], [">50", ">50"], "undecided"),
        # The last epoch against not reached: the signs are known.
        ([50, 50, 50, 50, 50, 50], [">50", ">50", ">50", ">50", ">50", ">50"], "supported"),
    ],
)
def test_a_censored_decay_rests_on_the_signs(
    a: list[Value], b: list[Value], expected: Word
) -> None:
    assert judged(a, b, DECAY).word == expected


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
def test_a_claim_only_if_all_its_measured_evidence_agrees(
    evidence: list[Judged], expected: Word
) -> None:
    assert claim_word(evidence) == expected


def test_means_are_those_of_the_pairs() -> None:
    one = Judged(
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
def test_the_reason_is_a_sentence_with_the_figures(evidence: list[Judged], expected: str) -> None:
    assert reason(evidence, "x", "y") == expected


def test_the_reason_of_evidence_that_disagrees_or_lacks() -> None:
    said = reason([LESS, judged([0.3, 0.1, 0.2], [0.2, 0.31, 0.1], MAP)], "x", "y")
    assert said.startswith("The metrics do not agree: Recall@1 (test): 0.11 in x against 0.313 in")
    assert "as claimed; MAP@R (test): 0.2 in x" in said
    assert said.endswith("over 3 seeds, which contains zero.")
    assert reason([LESS, judged([], [], MAP)], "x", "y").endswith(
        "over 3 seeds, as claimed; not measured: MAP@R (test)."
    )


ARMS = [
    {"name": "c", "loss": {"kind": "contrastive"}},
    {"name": "t", "loss": {"kind": "triplet"}},
    {
        "name": "wide",
        "loss": {"kind": "triplet", "margin": 2.0},
        "training": {"batch_size": 32, "optimizer": {"kind": "adam", "lr": 0.1}},
    },
    {"name": "soft", "loss": {"kind": "info_nce"}},
]


def said(
    a: str = "c", b: str = "t", *, seeds: int = 8, states: Sequence[str] = ("succeeded",) * 16
) -> list[str]:
    runs = [
        Run(id="", comparison_id="", position=0, arm="", seed=0, created_at=0.0, state=state)
        for state in states
    ]
    return caveats(parse_spec(small(arms=ARMS)), (a, b), runs, seeds)


def test_what_is_always_said() -> None:
    found = said()
    assert len(found) == 2
    assert found[0].startswith("Nine 95 % intervals are not jointly 95 %")
    assert "not tuned" in found[1]


@pytest.mark.parametrize(
    ("seeds", "sentence"),
    [
        (1, "One seed decides nothing: at least two are needed for an interval."),
        (2, "With 2 seeds no p below 0.5 can be reached."),
        (5, "With 5 seeds no p below 0.0625 can be reached."),
        (13, "The p-values rest on 20,000 random sign flips, not on all."),
    ],
)
def test_few_and_many_seeds(seeds: int, sentence: str) -> None:
    assert sentence in said(seeds=seeds)


@pytest.mark.parametrize("seeds", [0, 6, 12])
def test_enough_seeds_to_say_nothing_of_them(seeds: int) -> None:
    assert len(said(seeds=seeds)) == 2


def test_what_else_differs_and_other_batches() -> None:
    found = said("c", "wide")
    assert found[0] == "The arms do not see the same batches: their batch size or sampler differs."
    assert found[1] == (
        "The arms differ in more than their loss: loss.margin (c: 1.0, wide: 2.0); "
        "training.batch_size (c: 64, wide: 32); training.optimizer.lr (c: 0.001, wide: 0.1)."
    )


def test_softmax_losses_are_active_in_another_sense() -> None:
    [sentence] = [s for s in said("soft", "t") if "active" in s]
    assert sentence.startswith("The loss of soft is never exactly 0")
    assert "above 0.001" in sentence


def test_runs_that_are_missing() -> None:
    found = said(states=["succeeded", "running", "queued", "failed", "failed", "cancelled"])
    assert found[0] == "2 of 6 runs have not finished: the verdict may still change."
    assert found[1] == (
        "Of 6 runs 2 failed and 1 cancelled: their seeds are left out of the comparison."
    )
    assert said(states=["succeeded", "running"])[0].startswith("1 of 2 runs has not finished")

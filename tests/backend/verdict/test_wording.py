"""The sentences of a verdict: the advice, always with its reservation, and the caveats."""

from collections.abc import Sequence
from typing import Any

import pytest

from backend.db.models import Run
from backend.verdict.evidence import Decision
from backend.verdict.schemas import ClaimOut, Pair
from backend.verdict.wording import advice, caveats
from contract.comparison.spec import parse_spec
from tests.support.specs import small

PAIR = Pair(a="contrastive", b="triplet")


def claims(**decisions: Decision) -> list[ClaimOut]:
    """Nine claims, not measured but for those given; c8="supported": b is better at retrieval."""
    figures: dict[str, Any] = dict.fromkeys(
        ("mean_difference", "interval", "p_value", "p_holm", "effect_size")
    )
    return [
        ClaimOut(
            **figures,
            id=number,
            text="",
            metric="",
            arms=PAIR,
            n=0,
            verdict=decisions.get(f"c{number}", "not_measured"),
            reason="",
            reported=[],
            evidence=[],
        )
        for number in range(1, 10)
    ]


@pytest.mark.parametrize(
    ("decisions", "sentence"),
    [
        (
            {"c7": "supported", "c8": "supported", "c9": "contradicted"},
            "Use triplet for retrieval and classification; use contrastive for keeping detail "
            "within classes.",
        ),
        (
            {"c7": "undecided", "c8": "contradicted"},
            "Use contrastive for retrieval; for classification these runs do not tell the two "
            "apart.",
        ),
        (
            {"c7": "undecided", "c8": "undecided", "c9": "undecided"},
            "For retrieval, classification and keeping detail within classes these runs do not "
            "tell the two apart.",
        ),
        ({}, "These runs measured nothing that says which arm to use."),
    ],
)
def test_advice_names_the_arm_for_each_use(decisions: dict[str, Decision], sentence: str) -> None:
    assert advice(claims(**decisions), PAIR, 8, []).startswith(sentence)


def test_advice_names_few_seeds_untuned_margins_and_other_differences() -> None:
    few = advice(claims(c8="supported"), PAIR, 3, ["loss.margin", "training.epochs"])
    assert few.endswith(
        "Mind that 3 seeds are few, margins were given, not tuned and the arms also differ in "
        "loss.margin and training.epochs."
    )
    assert "1 seed is few" in advice(claims(c8="supported"), PAIR, 1, [])
    assert "few" not in advice(claims(c8="supported"), PAIR, 6, [])


SPEC_ARMS = [
    {"name": "c", "loss": {"kind": "contrastive"}},
    {"name": "t", "loss": {"kind": "triplet"}},
    {
        "name": "wide",
        "loss": {"kind": "triplet", "margin": 2.0},
        "training": {"batch_size": 32, "optimizer": {"kind": "adam", "lr": 0.1}},
    },
    {"name": "soft", "loss": {"kind": "info_nce"}},
]


def caveats_of(
    a: str = "c", b: str = "t", *, seeds: int = 8, states: Sequence[str] = ("succeeded",) * 16
) -> list[str]:
    runs = [
        Run(id="", comparison_id="", position=0, arm="", seed=0, created_at=0.0, state=state)
        for state in states
    ]
    return caveats(parse_spec(small(arms=SPEC_ARMS)), (a, b), runs, seeds)


def test_caveats_that_every_verdict_has() -> None:
    found = caveats_of()
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
def test_caveats_of_few_and_many_seeds(seeds: int, sentence: str) -> None:
    assert sentence in caveats_of(seeds=seeds)


@pytest.mark.parametrize("seeds", [0, 6, 12])
def test_no_caveat_with_enough_seeds(seeds: int) -> None:
    assert len(caveats_of(seeds=seeds)) == 2


def test_caveats_of_other_settings_and_other_batches() -> None:
    found = caveats_of("c", "wide")
    assert found[0] == "The arms do not see the same batches: their batch size or sampler differs."
    assert found[1] == (
        "The arms differ in more than their loss: loss.margin (c: 1.0, wide: 2.0); "
        "training.batch_size (c: 64, wide: 32); training.optimizer.lr (c: 0.001, wide: 0.1)."
    )


def test_caveat_of_losses_that_are_never_zero() -> None:
    [sentence] = [s for s in caveats_of("soft", "t") if "active" in s]
    assert sentence.startswith("The loss of soft is never exactly 0")
    assert "above 0.001" in sentence


def test_caveats_of_missing_runs() -> None:
    found = caveats_of(states=["succeeded", "running", "queued", "failed", "failed", "cancelled"])
    assert found[0] == "2 of 6 runs have not finished: the verdict may still change."
    assert found[1] == (
        "Of 6 runs 2 failed and 1 cancelled: their seeds are left out of the comparison."
    )
    assert caveats_of(states=["succeeded", "running"])[0].startswith("1 of 2 runs has not finished")

"""The sentence on top of a verdict: which arm for what, and never without its reservation."""

from typing import Any

import pytest

from backend.verdict.evidence import Word
from backend.verdict.schemas import ClaimOut, Pair
from backend.verdict.wording import advice

ARMS = Pair(a="contrastive", b="triplet")


def claims(**words: Word) -> list[ClaimOut]:
    """The three claims about uses; `c8="supported"` says that b retrieves better."""
    nothing: dict[str, Any] = dict.fromkeys(
        ("mean_difference", "interval", "p_value", "p_holm", "effect_size")
    )
    return [
        ClaimOut(
            **nothing,
            id=number,
            text="",
            metric="",
            arms=ARMS,
            n=0,
            verdict=words.get(f"c{number}", "not_measured"),
            reason="",
            reported=[],
            evidence=[],
        )
        for number in range(1, 10)
    ]


@pytest.mark.parametrize(
    ("words", "said"),
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
def test_which_arm_for_what(words: dict[str, Word], said: str) -> None:
    assert advice(claims(**words), ARMS, 8, []).startswith(said)


def test_the_reservation_names_few_seeds_untuned_margins_and_what_else_differs() -> None:
    few = advice(claims(c8="supported"), ARMS, 3, ["loss.margin", "training.epochs"])
    assert few.endswith(
        "Mind that 3 seeds are few, margins were given, not tuned and the arms also differ in "
        "loss.margin and training.epochs."
    )
    assert "1 seed is few" in advice(claims(c8="supported"), ARMS, 1, [])
    assert "few" not in advice(claims(c8="supported"), ARMS, 6, [])

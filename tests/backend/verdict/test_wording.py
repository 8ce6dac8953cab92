"""The sentences of a verdict: its summary, what varied, and its rule."""

from typing import Any

import pytest

from backend.verdict.schemas import AsReported, ClaimOut, Figures, Pair, Parts
from backend.verdict.wording import (
    listed,
    listed_arms,
    named,
    replicates_said,
    rule,
    summary_sentence,
)
from contract.statistics import Word

PAIR = Pair(a="contrastive", b="triplet")


def claims(**words: Word) -> list[ClaimOut]:
    """Nine claims, not measured but for those given; c8="supported": b is better at retrieval."""
    figures: dict[str, Any] = dict.fromkeys(Figures.model_fields)
    made = []
    for number in range(1, 10):
        word: Word = words.get(f"c{number}", "not_measured")
        figures |= {"metric": "", "n": 0, "verdict": word}
        made.append(
            ClaimOut(
                **figures,
                id=number,
                text="",
                arms=PAIR,
                reason="",
                reported=[],
                evidence=[],
                reported_evidence=[],
                as_reported=AsReported(word=word, metrics=[]),
                disagreement="",
                parts=Parts(judged=0, of=1),
                true_by_construction="",
                related="",
            )
        )
    return made


def test_the_summary_has_all_seven_words() -> None:
    told = claims(
        c1="supported",
        c2="supported",
        c3="contradicted",
        c4="level",
        c5="leaning_for",
        c6="leaning_against",
        c7="undecided",
    )
    assert summary_sentence(told, "seed", 9, 10) == (
        "Of nine claims, over 9 of 10 seeds on one split: 2 are supported (1, 2), 1 is "
        "contradicted (3), 1 is level (4), 1 is leaning towards the claim (5), 1 is leaning "
        "against the claim (6), 1 is undecided (7) and 2 are not measured (8, 9)."
    )


def test_the_summary_of_a_tuned_comparison_has_its_budget() -> None:
    told = summary_sentence(claims(c1="level"), "seed", 10, 10, trials=24)
    assert told.startswith("Of nine claims, over 10 seeds on one split, at 24 trials each: 1 is ")
    assert "over 10 seeds on one split, at 1 trial each: " in summary_sentence(
        claims(c1="level"), "seed", 10, 10, trials=1
    )


@pytest.mark.parametrize(
    ("kind", "pairs", "asked", "said"),
    [
        ("seed", 10, 10, "10 seeds on one split"),
        ("seed", 1, 1, "1 seed on one split"),
        ("seed", 1, 3, "1 of 3 seeds on one split"),
        ("dependent_splits", 10, 10, "10 splits"),
        ("dependent_splits", 2, 10, "2 of 10 splits"),
        ("independent_draws", 3, 3, "3 draws of the data"),
        ("fixed_test", 3, 3, "3 draws of the training items, one test set"),
    ],
)
def test_what_varies_is_named(kind: Any, pairs: int, asked: int, said: str) -> None:
    assert replicates_said(kind, pairs, asked) == said


@pytest.mark.parametrize(
    ("pairs", "family", "dependent", "said"),
    [
        (10, 8, False, "Level if the 99.38 % interval (8 claims together) lies inside"),
        (10, 8, False, "excludes 0 and Holm's exact sign-flip p is below 0.05;"),
        (8, 8, False, "supported or contradicted if it excludes 0; leaning"),
        (3, 1, False, "Level if the 95 % interval lies inside"),
        (10, 8, True, "together), corrected for splits that share items, lies inside"),
        (10, 8, True, "supported or contradicted if it excludes 0; leaning"),
    ],
)
def test_the_rule_in_one_line(pairs: int, family: int, dependent: bool, said: str) -> None:
    told = rule(pairs, family, dependent=dependent)
    assert said in told
    assert "\n" not in told


def test_lists_in_a_sentence() -> None:
    assert listed(["a"]) == "a"
    assert listed(["a", "b", "c"], "or") == "a, b or c"
    assert listed([str(i) for i in range(8)], "or") == "0, 1, 2, 3, 4 or one of 3 others"


def test_names_that_read_like_a_sentence_are_quoted() -> None:
    assert [
        named(arm) for arm in ("triplet, m = 1", "pull and push", "one or two: fast; slow")
    ] == [
        '"triplet, m = 1"',
        '"pull and push"',
        '"one or two: fast; slow"',
    ]
    for plain in ("triplet", "m = 0.2", "triplet (hard)", "brand", "orbit-1"):
        assert named(plain) == plain
    assert listed_arms(["a, b", "c"], "or") == '"a, b" or c'

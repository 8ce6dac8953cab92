"""The advice which arms to use for what, for one to twenty arms."""

from itertools import combinations
from typing import Any

import pytest

from backend.verdict.advice import Found, Reservation, advice

ENOUGH = Reservation(10)


def found(use: str = "retrieval", arms: str = "abcd", ahead: str = "", **more: Any) -> Found:
    """Make a Found; "ab ac" as ahead: a is ahead of b and of c; level likewise."""
    level = frozenset(frozenset(pair) for pair in more.pop("level", "").split())
    pairs = frozenset((pair[0], pair[1]) for pair in ahead.split())
    return Found(use, tuple(arms), pairs, level, 0.01, **more)


def said(*uses: Found, **untrained: str) -> str:
    """Return the advice without its reservation."""
    return advice(uses, untrained, ENOUGH).partition(" Caution:")[0]


TWO = [
    ((found(arms="ab", ahead="ab"),), "Use a for retrieval."),
    (
        (found(arms="ab", ahead="ab"), found("classification", "ab", "ab")),
        "Use a for retrieval and classification.",
    ),
    (
        (found(arms="ab", ahead="ab"), found("keeping detail within classes", "ba", "ba")),
        "Use a for retrieval; use b for keeping detail within classes.",
    ),
    ((found(arms="ab", level="ab"),), "For retrieval a and b are level within 0.01."),
    (
        (found(arms="ab"), found("classification", "ab", "ab")),
        "For retrieval there is no clear difference; use a for classification.",
    ),
    (
        (found(arms="ab", ahead="ab", leaning=True),),
        "For retrieval these runs lean towards a.",
    ),
    (
        (found(arms="ab", leaders={"a": "MAP@R", "b": "Recall@1"}),),
        "For retrieval it depends on the metric: a in MAP@R and b in Recall@1.",
    ),
    ((), "These runs measured nothing that says which arm to use."),
]


@pytest.mark.parametrize(("uses", "sentence"), TWO)
def test_of_two_arms(uses: tuple[Found, ...], sentence: str) -> None:
    assert said(*uses) == sentence


MANY = [
    (found(arms="abc", ahead="ab ac bc"), "For retrieval use a (ahead of b and c)."),
    (
        found(ahead="ac ad bc bd"),
        "For retrieval use a or b (no clear difference between them; ahead of c and d).",
    ),
    (
        found(ahead="ac ad bc bd", level="ab cd"),
        "For retrieval use a or b (level within 0.01; ahead of c and d).",
    ),
    (
        found(ahead="ac bd"),
        "For retrieval use a or b (no clear difference between them; each of the others is "
        "clearly worse than one of them).",
    ),
    (found(arms="abc"), "For retrieval there is no clear difference."),
    (
        found(arms="abc", in_part=True),
        "For retrieval no arm is ahead of another in all metrics.",
    ),
    (found(arms="abc", level="ab ac bc"), "For retrieval a, b and c are level within 0.01."),
    (
        found(arms="abcdefg", ahead="ac ad ae af ag bc bd be bf bg"),
        "For retrieval use a or b (no clear difference between them; ahead of all 5 others).",
    ),
]


@pytest.mark.parametrize(("use", "sentence"), MANY)
def test_of_more_arms(use: Found, sentence: str) -> None:
    assert said(use) == sentence


def test_twenty_arms_are_named_as_far_as_a_sentence_allows() -> None:
    arms = "abcdefghijklmnopqrst"
    ahead = " ".join(first + last for first in arms[:19] for last in "t")
    assert said(found(arms=arms, ahead=ahead)) == (
        "For retrieval use a, b, c, d, e or one of 14 others (no clear difference between them; "
        "ahead of t)."
    )
    level = " ".join("".join(pair) for pair in combinations(arms, 2))
    assert said(found(arms=arms, level=level)) == (
        "For retrieval a, b, c, d, e and 15 others are level within 0.01."
    )


def test_different_uses_have_their_own_clause_and_the_same_share_one() -> None:
    assert said(
        found(ahead="ab ac ad"),
        found("classification", ahead="ad bd cd"),
        found("keeping detail within classes", ahead="ab ac ad cd"),
    ) == (
        "For retrieval and keeping detail within classes use a (ahead of b, c and d); "
        "for classification use a, b or c (no clear difference between them; ahead of d)."
    )


def test_arms_that_did_not_train_are_named_with_the_reason() -> None:
    assert said(found(arms="ab", ahead="ab"), c="collapsed", d="collapsed") == (
        "Use a for retrieval. c and d did not train (collapsed)."
    )
    assert said(found(arms="ab"), c="collapsed") == (
        "For retrieval there is no clear difference between a and b. c did not train (collapsed)."
    )
    assert said(a="no valid tuple", b="collapsed") == (
        "a did not train (no valid tuple). b did not train (collapsed). So these runs do not say "
        "which arm to use."
    )


def test_names_that_read_like_a_list_are_quoted() -> None:
    arms = ("t, m = 1", "t, m = 2", "c")
    ahead = frozenset({(arms[0], arms[1]), (arms[0], arms[2])})
    one = Found("retrieval", arms, ahead, frozenset())
    assert said(one, **{"x and y": "collapsed"}) == (
        'For retrieval use "t, m = 1" (ahead of "t, m = 2" and c). "x and y" did not train '
        "(collapsed)."
    )


@pytest.mark.parametrize(
    ("reservation", "sentence"),
    [
        (Reservation(6), "Caution: margins were not tuned."),
        (Reservation(1), "Caution: only 1 seed and margins were not tuned."),
        (
            Reservation(3, ("margin", "epochs"), "split", 1),
            "Caution: 1 run has not finished, only 3 splits, margins were not tuned and "
            "the arms also differ in margin and epochs.",
        ),
        (
            Reservation(9, still_open=2),
            "Caution: 2 runs have not finished and margins were not tuned.",
        ),
        (Reservation(9, trials=24), "Caution: each arm's settings are the best of 24 trials."),
    ],
)
def test_the_reservation_comes_last(reservation: Reservation, sentence: str) -> None:
    assert advice([found(arms="ab", ahead="ab")], {}, reservation).endswith(f". {sentence}")

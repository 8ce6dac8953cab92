"""The figures behind a claim's word, as a sentence."""

from collections.abc import Mapping

import pytest

from backend.verdict.reasons import disagreement, reason
from tests.backend.verdict.paired_values import (
    ALIKE,
    DECAY,
    DETAIL,
    INTRA,
    MAP,
    MUCH_LESS,
    MUCH_MORE,
    NOISY,
    NOTHING,
    RECALL,
    Values,
    judge_one,
)

FIVE: Values = ([0.1, 0.12, 0.11, 0.1, 0.12], [0.3, 0.33, 0.31, 0.32, 0.3])


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (
            {RECALL: FIVE},
            "Recall@1 (test): 0.11 in x against 0.312 in y, a mean difference of -0.202 "
            "(95 % interval -0.22 to -0.184) over 5 seeds, as claimed.",
        ),
        (
            {RECALL: (FIVE[1], FIVE[0])},
            "Recall@1 (test): 0.312 in x against 0.11 in y, a mean difference of +0.202 "
            "(95 % interval +0.184 to +0.22) over 5 seeds, the other way round than claimed.",
        ),
        (
            {RECALL: ([0.5] * 6, [0.5] * 6)},
            "Recall@1 (test): 0.5 in x against 0.5 in y, a mean difference of +0 "
            "(95 % interval +0 to +0) over 6 seeds, level.",
        ),
        (
            {RECALL: ([0.1], [0.9])},
            "Recall@1 (test): 0.1 in x against 0.9 in y, a mean difference of -0.8 over 1 seed, "
            "and fewer than three pairs decide nothing.",
        ),
        (
            {DECAY: ([5, 6, 5, 7, 6, 5, ">50"], [">50", 40, 41, 42, 43, 44, ">50"])},
            "Loss-decay epochs: a mean difference of -37.7 over 6 seeds, with 2 pairs censored "
            "(1 dropped), as claimed by the signs of the differences.",
        ),
        (
            {DECAY: ([">50"], [">50"])},
            "Loss-decay epochs: not reached in the epochs trained, so no pair (of 1) says which "
            "arm is ahead.",
        ),
        (
            {RECALL: NOTHING, MAP: NOTHING},
            "No seed has a value of Recall@1 (test) or MAP@R (test) in both arms.",
        ),
        (
            {DETAIL: NOTHING},
            "No seed has a value of Detail retention (test) in both arms: it needs fine labels, "
            "and the data have none.",
        ),
    ],
)
def test_the_reason_is_a_sentence_with_the_figures(
    values: Mapping[str, Values], expected: str
) -> None:
    assert reason(judge_one(values), "x", "y", "seed") == expected


def test_the_reason_of_parts_that_disagree_or_are_missing() -> None:
    sentence = reason(judge_one({RECALL: MUCH_LESS, MAP: NOISY}), "x", "y", "split")
    assert sentence.startswith("The parts do not agree: Recall@1 (test): 0.302 in x against 0.498")
    assert "over 10 splits, leaning as claimed; MAP@R (test): 0.3 in x" in sentence
    assert sentence.endswith("over 10 splits, undecided.")
    missing = reason(judge_one({RECALL: MUCH_MORE, MAP: NOTHING}), "x", "y", "seed")
    assert missing.endswith(
        "the other way round than claimed; judged on 1 of 2 parts, for these runs have no value "
        "of MAP@R (test)."
    )


def test_level_says_which_side_an_interval_without_zero_lies_on() -> None:
    near: Values = ([1.0 + 0.01 * (s % 3) for s in range(10)], [1.1] * 10)
    said = reason(judge_one({INTRA: near}), "x", "y", "seed")
    assert said.endswith("level, though x is smaller.")
    assert reason(judge_one({RECALL: ALIKE}), "x", "y", "seed").endswith("level.")


def test_an_arm_that_was_not_trained_is_the_reason() -> None:
    form = judge_one({RECALL: MUCH_LESS}, not_trained=True)
    assert reason(form, "x", "y", "seed", ["y collapsed."]) == (
        "y collapsed. So claims about embeddings are not judged."
    )


def test_disagreement_is_said_where_both_forms_were_measured() -> None:
    assert disagreement("level", "supported") == (
        "Measured as the paper did, the word would be 'supported'; in the robust form it is "
        "'level'."
    )
    assert disagreement("leaning_for", "leaning_against") == (
        "Measured as the paper did, the word would be 'leaning against the claim'; in the robust "
        "form it is 'leaning towards the claim'."
    )
    assert disagreement("supported", "supported") == ""
    assert disagreement("not_measured", "supported") == ""
    assert disagreement("supported", "not_measured") == ""

"""The parts of a claim and the word that they give together."""

from collections.abc import Mapping

import pytest

from backend.verdict.evidence import family_size, judge_forms
from contract.catalogue.claims import Evidence
from contract.statistics import Replication, Word
from tests.backend.verdict.paired_values import (
    ALIKE,
    DECAY,
    INTRA,
    MAP,
    MUCH_LESS,
    MUCH_MORE,
    NOISY,
    NOTHING,
    RECALL,
    SEEDS,
    Values,
    judge_one,
    paired,
)

SPREAD = [0.02 * seed for seed in range(10)]
LEANING: Values = ([0.3] * 5, [0.4, 0.35, 0.42, 0.33, 0.38])


@pytest.mark.parametrize(
    ("values", "word"),
    [
        (MUCH_LESS, "supported"),
        (MUCH_MORE, "contradicted"),
        (ALIKE, "level"),
        (NOISY, "undecided"),
        (NOTHING, "not_measured"),
        (([0.1, 0.1], [0.9, 0.8]), "undecided"),  # two pairs decide nothing
        (([0.1], [0.9]), "undecided"),
    ],
)
def test_each_decision_of_one_part(values: Values, word: Word) -> None:
    form = judge_one({RECALL: values})
    assert form.word == word
    assert [part.word for part in form.parts] == [word]


def test_leaning_is_what_only_the_plain_interval_excludes() -> None:
    others = [[Evidence(RECALL, "less")]] * 8
    [one, *_] = judge_forms(
        [[Evidence(MAP, "less")], *others],
        {MAP: paired(LEANING), RECALL: paired(NOISY)}.__getitem__,
        {},
        SEEDS,
        not_trained=False,
    )
    assert one.word == "leaning_for"
    assert judge_one({MAP: LEANING}).word == "supported"  # alone it is not corrected


@pytest.mark.parametrize(
    ("values", "word"),
    [
        ({RECALL: MUCH_LESS, MAP: MUCH_LESS}, "supported"),
        ({RECALL: MUCH_MORE, MAP: MUCH_MORE}, "contradicted"),
        ({RECALL: ALIKE, MAP: ALIKE}, "level"),
        ({RECALL: MUCH_LESS, MAP: MUCH_MORE}, "undecided"),
        ({RECALL: MUCH_LESS, MAP: NOISY}, "undecided"),
        ({RECALL: MUCH_LESS, MAP: NOTHING}, "supported"),  # of what is measured, all agree
        ({RECALL: NOTHING, MAP: NOTHING}, "not_measured"),
        ({RECALL: MUCH_LESS, DECAY: ([">9"] * 10, [">9"] * 10)}, "undecided"),
        ({DECAY: ([">9"] * 10, [">9"] * 10)}, "undecided"),  # measured, but no pair is left
    ],
)
def test_all_parts_of_a_claim_must_agree(values: Mapping[str, Values], word: Word) -> None:
    assert judge_one(values).word == word


def test_claims_are_counted_once_however_many_parts_they_have() -> None:
    values = {RECALL: MUCH_LESS, MAP: MUCH_LESS, INTRA: NOTHING}
    forms = [[Evidence(RECALL, "less"), Evidence(MAP, "less")], [Evidence(INTRA, "less")]]
    judged = judge_forms(
        forms,
        {key: paired(own) for key, own in values.items()}.__getitem__,
        {},
        SEEDS,
        not_trained=False,
    )
    assert family_size(judged) == 1
    assert [len(form.measured) for form in judged] == [2, 0]


def test_an_arm_that_was_not_trained_is_judged_by_its_training_alone() -> None:
    embeddings = judge_one({RECALL: MUCH_LESS, INTRA: MUCH_LESS}, not_trained=True)
    assert embeddings.word == "not_measured"
    assert all(part.withheld for part in embeddings.parts)
    common = judge_one(
        {"retrieval.map_at_r.epochs_to_common": ([5] * 10, [9] * 10)}, not_trained=True
    )
    assert common.word == "not_measured"
    updates = judge_one({"dynamics.update_norm.mean": MUCH_LESS}, not_trained=True)
    assert updates.word == "supported"


def test_whole_numbers_and_censored_values_are_judged_by_their_signs() -> None:
    common = judge_one(
        {"retrieval.map_at_r.epochs_to_common": ([5] * 10, [9, 8, 7, 9, 8, 7, 9, 8, 7, 9])}
    )
    [part] = common.parts
    assert (common.word, part.judged and part.judged.interval) == ("supported", None)
    censored = judge_one({DECAY: ([5, 6, 5, 7, 6, 5], [">50", 40, 41, 42, 43, 44])})
    assert censored.word == "supported"
    [part] = censored.parts
    assert part.mean_a == pytest.approx(34 / 6)
    assert part.mean_b is None


def test_a_practical_bound_of_the_spec_makes_level() -> None:
    b = [0.32 + more for more in SPREAD]
    wide: Values = ([0.30 + more + 0.001 * (i % 2) for i, more in enumerate(SPREAD)], b)
    assert judge_one({RECALL: wide}).word == "supported"
    assert judge_one({RECALL: wide}, practical={"retrieval.": 0.05}).word == "level"


def test_dependent_splits_have_wider_intervals() -> None:
    one = judge_one({RECALL: MUCH_LESS}, replication=SEEDS).parts[0].judged
    other = judge_one({RECALL: MUCH_LESS}, replication=Replication("split", 1 / 3)).parts[0].judged
    assert one
    assert one.interval
    assert other
    assert other.interval
    assert other.interval[0] < one.interval[0] < one.interval[1] < other.interval[1]
    assert (one.floor, other.replicates_to_halve) == (None, None)
    assert other.floor

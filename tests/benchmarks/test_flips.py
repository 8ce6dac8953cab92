from collections import Counter

import pytest

from benchmarks import findings, flips
from benchmarks.flips import CASES, SEEDS, SETS, changes, comparison_spec, reverses
from contract.comparison.spec import parse_spec


def test_words_of_every_two_sets_are_counted_claim_by_claim() -> None:
    sets = [
        {1: "supported", 2: "level"},
        {1: "contradicted", 2: "level"},
        {1: "supported", 2: "undecided"},
    ]
    assert changes(sets) == Counter(
        {
            ("contradicted", "supported"): 2,
            ("supported", "supported"): 1,
            ("level", "level"): 1,
            ("level", "undecided"): 2,
        }
    )


def test_what_neither_set_has_measured_is_no_agreement() -> None:
    sets = [{9: "not_measured"}, {9: "not_measured"}, {9: "undecided"}]
    assert changes(sets) == Counter({("not_measured", "undecided"): 2})


def test_only_opposite_decisions_are_a_reversal() -> None:
    assert reverses("supported", "contradicted")
    assert reverses("contradicted", "supported")
    assert not reverses("supported", "supported")
    assert not reverses("leaning_for", "contradicted")
    assert not reverses("level", "supported")


def test_no_seed_and_no_split_is_in_two_sets() -> None:
    for case in CASES:
        for kind in ("seed", "split"):
            specs = [parse_spec(comparison_spec(case, kind, place)) for place in range(SETS)]
            seeds = [seed for spec in specs for seed in spec.seeds]
            assert len(set(seeds)) == SETS * SEEDS
            splits = {spec.data_of(seed).seed for spec in specs for seed in spec.seeds}
            assert len(splits) == (1 if kind == "seed" else SETS * SEEDS)


def test_unknown_data_are_refused_before_anything_runs(capsys: pytest.CaptureFixture[str]) -> None:
    for main in (flips.main, findings.main):
        with pytest.raises(SystemExit):
            main(["digits", "nothing"])
        assert "no such data: nothing" in capsys.readouterr().err

"""The order of a sample's decision, the word of a claim, and the family."""

import pytest

from contract.statistics import Sample, SampleError, common_word, judge

TEN = (0.020, 0.025, 0.030, 0.022, 0.028, 0.020, 0.024, 0.021, 0.026, 0.031)


def test_a_clear_difference_is_supported_or_contradicted() -> None:
    [claim] = judge([[Sample(TEN, expected="greater", half_width=0.01)]])
    assert claim.word == claim.samples[0].word == "supported"
    assert claim.p == claim.p_holm == 2 / 2**10
    [claim] = judge([[Sample(TEN, expected="less", half_width=0.01)]])
    assert claim.word == "contradicted"


def test_what_was_not_measured_is_no_part_of_the_family() -> None:
    nothing, one = judge([[Sample((), expected="less")], [Sample(TEN, expected="greater")]])
    assert (nothing.word, nothing.p, nothing.p_holm) == ("not_measured", None, None)
    assert one.p == one.p_holm


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], "not_measured"),
        (["not_measured"], "not_measured"),
        (["supported", "not_measured"], "supported"),
        (["supported", "leaning_for"], "leaning_for"),
        (["leaning_against", "contradicted"], "leaning_against"),
        (["level", "level"], "level"),
        (["level", "supported"], "undecided"),
        (["leaning_for", "leaning_against"], "undecided"),
        (["supported", "leaning_for", "undecided"], "undecided"),
        (["supported", "contradicted"], "undecided"),
    ],
)
def test_the_word_of_a_claim(words: list[str], expected: str) -> None:
    assert common_word(words) == expected  # type: ignore[arg-type]


def test_wrong_samples_are_named() -> None:
    with pytest.raises(SampleError, match=r"half_width must be more than 1; got 0\.5"):
        judge([[Sample((0.1,), expected="less", log_ratios=(0.1,), half_width=0.5)]])
    with pytest.raises(SampleError, match="log_ratios must be as many as differences, 1; got 2"):
        judge([[Sample((0.1,), expected="less", log_ratios=(0.1, 0.2))]])

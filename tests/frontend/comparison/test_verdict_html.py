"""The verdict as HTML: every claim, word, figure and reservation, and nothing unescaped."""

import re
from typing import Any

import pytest

from frontend.comparison.verdict_html import (
    VERDICT_TEXTS,
    difference_picture,
    seed_differences,
    verdict_html,
)
from frontend.ui.theme import arm_styles

ARMS = arm_styles(["a <b>", "other"])
LOOKS = {"a": ARMS["a <b>"], "b": ARMS["other"]}


def evidence(**changes: Any) -> dict[str, Any]:
    row = {
        "metric": "test.retrieval.recall_at_1",
        "label": "Recall@1 (test)",
        "expected": "less",
        "mean_a": 0.9,
        "mean_b": 0.95,
        "mean_difference": -0.05,
        "interval": [-0.08, -0.02],
        "p_value": 0.0625,
        "p_holm": 0.5,
        "effect_size": -2.0,
        "n": 5,
        "censored": 0,
        "verdict": "supported",
    }
    return {**row, **changes}


NOTHING = dict.fromkeys(
    ("mean_a", "mean_b", "mean_difference", "interval", "p_value", "p_holm", "effect_size")
)


def claim(number: int, *rows: dict[str, Any], **changes: Any) -> dict[str, Any]:
    first = rows[0]
    base = {
        "id": number,
        "text": f"claim {number} of <i>b</i>",
        "metric": first["metric"],
        "arms": {"a": "a <b>", "b": "other"},
        "verdict": first["verdict"],
        "reason": "0.9 & 0.95.",
        "reported": [],
        "evidence": list(rows),
    }
    return {**base, **changes}


def verdict(*claims: dict[str, Any]) -> dict[str, Any]:
    return {
        "summary": "One & only.",
        "advice": "Use <b> for retrieval.",
        "arms": {"a": "a <b>", "b": "other"},
        "seeds": 5,
        "smallest_p": 0.0625,
        "caveats": ["With 5 seeds <no> p below 0.0625."],
        "claims": list(claims),
    }


@pytest.mark.parametrize("word", VERDICT_TEXTS)
def test_a_verdict_has_its_sign_and_its_word(word: str) -> None:
    sign, said = VERDICT_TEXTS[word]
    page = verdict_html(verdict(claim(1, evidence(verdict=word))), ARMS, "light")
    assert f"<b aria-hidden='true'>{sign}</b>{said}" in page
    assert f"lb-{word}" in page


def test_texts_are_escaped_and_caveats_are_listed() -> None:
    page = verdict_html(verdict(claim(1, evidence())), ARMS, "dark")
    for text in ("a &lt;b&gt;", "One &amp; only.", "claim 1 of &lt;i&gt;b&lt;/i&gt;", "&lt;no&gt;"):
        assert text in page
    assert "<i>b" not in page
    assert "0.9 &amp; 0.95." in page


def test_only_the_ninth_claim_is_ours() -> None:
    assert "our own claim" in verdict_html(verdict(claim(9, evidence())), ARMS, "light")
    assert "our own claim" not in verdict_html(verdict(claim(8, evidence())), ARMS, "light")


def test_every_metric_of_a_claim_and_the_reported_values_are_listed() -> None:
    reported = [
        {"what": "CIFAR-10: Recall@1", "a": 0.84, "b": 0.92, "unit": "", "source": "Zeng 2025"}
    ]
    rows = (evidence(), evidence(label="MAP@R (test)", mean_difference=0.01, interval=None))
    page = verdict_html(verdict(claim(8, *rows, reported=reported)), ARMS, "light")
    assert page.count("MAP@R (test)") == 1
    assert "CIFAR-10: Recall@1: 0.84 contrastive, 0.92 triplet" in page
    assert "read second-hand" in page
    assert "−0.08 … −0.02" in page


def test_the_first_measured_metric_is_the_one_that_is_drawn() -> None:
    missing = evidence(label="Not there", verdict="not_measured", n=0, **NOTHING)
    page = verdict_html(verdict(claim(7, missing, evidence())), ARMS, "light")
    assert "<small>Recall@1 (test)</small>" in page
    alone = verdict_html(verdict(claim(7, missing)), ARMS, "light")
    assert "lb-forest" not in alone
    assert "<b>–</b>" in alone


def places(picture: str) -> tuple[float, float, float]:
    """Left end, dot and right end, in per cent."""
    [(left, width)] = re.findall(r"lb-bar' style='left: ([\d.]+)%; width: ([\d.]+)%", picture)
    [dot] = re.findall(r"lb-dot' style='left: ([\d.]+)%", picture)
    return float(left), float(dot), float(left) + float(width)


def test_a_picture_has_zero_in_its_middle_and_keeps_to_its_frame() -> None:
    low, dot, high = places(difference_picture(evidence(), LOOKS, "light"))
    assert (low, dot, high) == pytest.approx((4.0, 21.25, 38.5), abs=0.11)
    low, dot, high = places(
        difference_picture(evidence(mean_difference=1, interval=[-1, 3]), LOOKS, "light")
    )
    assert (low + high) / 2 == pytest.approx(dot, abs=0.11)
    assert low < 50 < dot < high <= 96.1
    low, dot, high = places(
        difference_picture(evidence(mean_difference=0, interval=[0, 0]), LOOKS, "light")
    )
    assert low == dot == high == 50


def test_a_picture_says_its_figures_and_shades_the_claimed_side() -> None:
    picture = difference_picture(evidence(), LOOKS, "light")
    assert "aria-label='difference −0.05, 95 % interval −0.08 to −0.02'" in picture
    assert "lb-claimed lb-left" in picture
    assert LOOKS["b"].light in picture  # the larger one's colour
    picture = difference_picture(
        evidence(expected="greater", mean_difference=2, interval=None), LOOKS, "dark"
    )
    assert "lb-claimed lb-right" in picture
    assert "interval" not in picture
    assert LOOKS["a"].dark in picture


def test_the_advice_is_on_top() -> None:
    page = verdict_html(verdict(claim(1, evidence())), ARMS, "light")
    assert page.index("Use &lt;b&gt; for retrieval.") < page.index("One &amp; only.")
    without = verdict_html({**verdict(claim(1, evidence())), "advice": ""}, ARMS, "light")
    assert "lb-advice" not in without


def test_each_seeds_difference_is_drawn_and_within_the_frame() -> None:
    seeds = {"test.retrieval.recall_at_1": [-0.2, -0.05, 0.1]}
    page = verdict_html(verdict(claim(1, evidence())), ARMS, "light", seeds)
    found = [float(at) for at in re.findall(r"lb-seed' style='left: ([\d.]+)%", page)]
    assert found == pytest.approx([4.0, 38.5, 73.0], abs=0.11)


def test_the_papers_value_is_on_the_card_and_marked_second_hand() -> None:
    one = {"what": "Recall@1", "a": 0.84, "b": 0.92, "unit": "", "source": "Zeng 2025"}
    page = verdict_html(verdict(claim(8, evidence(), reported=[one, one])), ARMS, "light")
    shown = page.partition("<span class='lb-paper'>")[2].partition("</span>")[0]
    assert shown.startswith("Paper, second-hand: 0.84 contrastive, 0.92 triplet")
    assert "1 more inside" in shown
    assert "No paper reports a value." in verdict_html(verdict(claim(9, evidence())), ARMS, "light")


def test_differences_pair_seeds_and_leave_out_unknown_values() -> None:
    def value(seed: int, value: float | None, *, censored: bool = False) -> dict[str, Any]:
        return {"seed": seed, "value": value, "censored": censored}

    arms = [
        {"arm": "a", "values": [value(0, 1.0), value(1, 2.0), value(2, 3.0), value(3, None)]},
        {"arm": "b", "values": [value(1, 0.5), value(0, 0.25), value(2, 9.0, censored=True)]},
    ]
    assert seed_differences([{"key": "k", "arms": arms}], "a", "b") == {"k": [0.75, 1.5]}
    assert seed_differences([{"key": "k", "arms": arms}], "a", "gone") == {"k": []}

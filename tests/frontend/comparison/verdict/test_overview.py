"""The whole verdict: what stands on top, in which order, and nothing unescaped."""

import re

import pytest

from frontend.comparison.verdict.overview import head_html, verdict_html, verdict_style
from frontend.ui.assets import LIVE_FOLDER
from frontend.ui.theme import arm_styles
from tests.support.verdicts import arm_state, claim, evidence, verdict

STYLES = arm_styles(["a <b>", "other"])


def test_the_top_tells_states_advice_summary_what_varied_and_the_rule() -> None:
    page = head_html(verdict(claim(1, evidence()), arm_states=[arm_state("<6> of 10 fell.")]))
    texts = (
        "&lt;6&gt; of 10 fell.",
        "Use &lt;b&gt; for retrieval.",
        "One &amp; only.",
        "Over 10 seeds on one split.",
        "Supported: the interval &amp; Holm&#x27;s p agree.",
    )
    places = [page.index(text) for text in texts]
    assert places == sorted(places)
    assert "lb-untrained-arm" not in head_html(verdict(claim(1, evidence())))


def test_only_arms_that_were_not_trained_have_a_banner() -> None:
    states = [arm_state("It fell."), arm_state("It is weak.", not_trained=False)]
    page = head_html(verdict(claim(1, evidence()), arm_states=states))
    assert page.count("lb-untrained-arm") == 1
    assert "It fell." in page
    assert "It is weak." not in page, "it stands among the caveats"


def test_an_arm_that_was_not_trained_is_told_once() -> None:
    states = [arm_state("a fell."), arm_state("b fell too.")]
    page = head_html(verdict(arm_states=states, summary="a fell. b fell too. Of nine claims none."))
    assert (page.count("a fell."), page.count("b fell too.")) == (1, 1)
    assert "<p class='lb-sum'>Of nine claims none.</p>" in page


def test_without_advice_there_is_no_empty_box() -> None:
    assert "lb-advice" not in head_html(verdict(claim(1, evidence()), advice=""))


def test_texts_are_escaped_and_caveats_are_listed() -> None:
    evil = "<script>'\""
    row = evidence(label=evil, part=evil)
    made = claim(
        1, row, text=evil, reason=evil, disagreement=evil, true_by_construction=evil,
        reported_evidence=[row], as_reported={"word": "supported", "metrics": [evil]},
        arms={"a": evil, "b": "other"},
        reported=[{"what": evil, "a": 1.0, "b": 2.0, "unit": evil, "source": evil}],
    )  # fmt: skip
    page = verdict_html(
        verdict(
            made,
            **{"summary": evil, "advice": evil, "caveats": [evil], "rule": evil},
            arms={"a": evil, "b": "other"},
            replicates={"kind": "seed", "noun": "seed", "n": 3, "said": evil},
            to_halve={"replicates": None, "floor": evil},
            arm_states=[arm_state(evil)],
        ),
        arm_styles([evil, "other"]),
        "dark",
    )
    assert "<script" not in page
    assert "<li>&lt;script&gt;" in page


def test_the_styles_of_the_live_part_above_it_are_other_ones() -> None:
    live = (LIVE_FOLDER / "live.css").read_text(encoding="utf-8")
    own, theirs = (set(re.findall(r"\.lb-[\w-]+", text)) for text in (verdict_style(), live))
    assert own
    assert not own & theirs


@pytest.mark.parametrize("noun", ["draw", "split"])
def test_replicates_are_called_by_their_noun(noun: str) -> None:
    replicates = {"kind": "split", "noun": noun, "n": 10, "said": f"10 {noun}s"}
    page = verdict_html(verdict(claim(1, evidence()), replicates=replicates), STYLES, "light")
    assert f"paired by {noun}" in page
    assert f"one {noun}'s difference" in page
    assert f"30 more {noun}s would halve these intervals." in page


def test_the_floor_of_shared_data_stands_in_place_of_a_number() -> None:
    halving = {"replicates": 30, "floor": "More splits of <these> items cannot."}
    page = verdict_html(verdict(claim(1, evidence()), to_halve=halving), STYLES, "light")
    assert "More splits of &lt;these&gt; items cannot." in page
    assert "would halve" not in page


def test_what_varied_is_said_once() -> None:
    made = verdict(claim(1, evidence()), rule="9 claims over 10 seeds on one split: level if so.")
    assert head_html(made).count("10 seeds on one split") == 1
    made = verdict(
        claim(1, evidence()), summary="Of nine claims, over 10 seeds on one split: none."
    )
    assert head_html(made).count("10 seeds on one split") == 1

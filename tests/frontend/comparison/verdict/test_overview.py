"""The whole verdict: what stands on top, in which order, and nothing unescaped."""

from frontend.comparison.verdict.overview import head_html, verdict_html
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
    assert "lb-warned" not in head_html(verdict(claim(1, evidence())))


def test_only_arms_that_were_not_trained_have_a_banner() -> None:
    states = [arm_state("It fell."), arm_state("It is weak.", not_trained=False)]
    page = head_html(verdict(claim(1, evidence()), arm_states=states))
    assert page.count("lb-warned") == 1
    assert "It fell." in page
    assert "It is weak." not in page, "it stands among the caveats"


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
            replicates={"kind": "seed", "n": 3, "said": evil},
            to_halve={"replicates": None, "floor": evil},
            arm_states=[arm_state(evil)],
        ),
        arm_styles([evil, "other"]),
        "dark",
    )
    assert "<script" not in page
    assert "<li>&lt;script&gt;" in page


def test_splits_are_called_splits() -> None:
    splits = {"kind": "split", "n": 10, "said": "10 splits"}
    page = verdict_html(verdict(claim(1, evidence()), replicates=splits), STYLES, "light")
    assert "paired by split" in page
    assert "one split's difference" in page
    assert "30 more splits would halve these intervals." in page


def test_the_floor_of_shared_data_stands_in_place_of_a_number() -> None:
    halving = {"replicates": 30, "floor": "More splits of <these> items cannot."}
    page = verdict_html(verdict(claim(1, evidence()), to_halve=halving), STYLES, "light")
    assert "More splits of &lt;these&gt; items cannot." in page
    assert "would halve" not in page


def test_what_varied_is_said_once() -> None:
    made = verdict(claim(1, evidence()), rule="9 claims over 10 seeds on one split: level if so.")
    assert head_html(made).count("10 seeds on one split") == 1

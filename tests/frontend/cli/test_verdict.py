"""The verdict as lines for a terminal."""

from frontend.cli.verdict import WIDTH, verdict_lines
from tests.support.verdicts import arm_state, claim, evidence, not_measured, verdict

ARMS = {"a": "first\x1b[2J", "b": "other"}


def test_the_lines_tell_words_rule_states_and_figures() -> None:
    raw = evidence(part="", robust=False, verdict="contradicted")
    made = claim(
        8,
        evidence(),
        evidence(label="MAP@R (test)", n=2, interval=None, simultaneous=None, p_holm=None),
        evidence(label="Epochs", part="", interval=None, simultaneous=None),
        arms=ARMS,
        reported_evidence=[raw],
        as_reported={"word": "contradicted", "metrics": []},
        disagreement="They disagree.",
        parts={"judged": 3, "of": 4},
        true_by_construction="it must be so.",
    )
    lines = list(
        verdict_lines(
            verdict(
                made, claim(9, not_measured()), arms=ARMS, arm_states=[arm_state("It fell\x1b.")]
            )
        )
    )
    for line in (
        "Use <b> for retrieval.",
        "Over 10 seeds on one split. Supported: the interval & Holm's p agree.",
        "! It fell?.",
        "first?[2J minus other:",
        "✓ Supported        8. claim 8 of <i>b</i>",
        "    Recall@1, best epoch: −0.050 [−0.080 … −0.020], 10 seeds, p by Holm 0.018",
        "    MAP@R, best epoch: −0.0500, 2 seeds, no interval",
        "    Epochs: −0.0500, 10 seeds, p by Holm 0.018",
        "    as reported: ✗ contradicted",
        "    judged on 3 of 4 parts",
        "    They disagree.",
        "    true by construction: it must be so.",
        "– Not measured     9. claim 9 of <i>b</i>",
        "30 more seeds would halve these intervals.",
        "- Margins were <given>, not tuned.",
    ):
        assert line in lines
    assert not [line for line in lines if "\x1b" in line]


def test_long_texts_are_wrapped() -> None:
    long = "word " * 60
    lines = list(verdict_lines(verdict(advice=long, arms=ARMS)))
    assert max(map(len, lines)) <= WIDTH


def test_without_two_arms_there_is_a_sentence() -> None:
    assert list(verdict_lines(verdict(arms=None, advice="", summary="No pair."))) == ["No pair."]

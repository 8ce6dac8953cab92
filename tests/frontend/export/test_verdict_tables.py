"""The verdict as CSV and Markdown: every figure, and texts that stay texts."""

import csv
from io import StringIO
from typing import Any

import pytest

from frontend.export.latex import Material, latex_document
from frontend.export.verdict_tables import COLUMNS, verdict_csv, verdict_markdown
from tests.support.verdicts import arm_state, claim, evidence, not_measured, verdict

EVIL = "=a|b\n<i>*_`[x]"
ARMS = {"a": EVIL, "b": "other"}


def hostile() -> dict[str, Any]:
    raw = evidence(metric="raw", part="", robust=False, verdict="contradicted")
    made = claim(
        8,
        evidence(),
        not_measured(label=EVIL, metric="two"),
        text=EVIL,
        arms=ARMS,
        reported_evidence=[raw],
        as_reported={"word": "contradicted", "metrics": ["raw"]},
        disagreement="They disagree.",
        parts={"judged": 1, "of": 2},
        true_by_construction="it must be so.",
    )
    return verdict(made, claim(9, not_measured()), arms=ARMS, arm_states=[arm_state(EVIL)])


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(text)))


def test_csv_has_a_row_for_each_metric_with_its_figures_in_full() -> None:
    first, second, raw, last = rows(verdict_csv(hostile()))
    assert tuple(first) == COLUMNS
    assert (first["word"], first["form"], first["metric_word"]) == (
        "supported",
        "robust",
        "supported",
    )
    assert (first["as_reported"], first["judged_parts"], first["parts"]) == (
        "contradicted",
        "1",
        "2",
    )
    assert (first["simultaneous_low"], first["simultaneous_high"]) == ("-0.08", "-0.02")
    assert (first["interval_low"], first["bounds_high"], first["p_holm"]) == (
        "-0.07",
        "0.01",
        "0.018",
    )
    assert (second["mean_difference"], second["n"], second["p_value"]) == ("", "0", "")
    assert (raw["form"], raw["metric"]) == ("reported", "raw")
    assert (last["claim"], last["metric_word"]) == ("9", "not_measured")


def test_csv_keeps_formulas_from_spreadsheets() -> None:
    first = rows(verdict_csv(hostile()))[0]
    assert first["text"] == first["arm_a"] == f"'{EVIL}"


def test_markdown_shows_words_figures_and_what_is_said_of_claims() -> None:
    text = verdict_markdown(hostile(), "digits")
    assert text.startswith("# digits: verdict\n")
    for part in (
        "Over 10 seeds on one split. Supported:",
        "✓ supported | ✗ contradicted | Recall@1, best epoch | 0.900 | 0.950 | −0.050 "
        "| −0.080 … −0.020 | −0.070 … −0.030 | −0.01 … +0.01 | 0.018 | 10 |",
        "- Claim 8: They disagree. Judged on 1 of 2 parts. True by construction: it must be so.",
        "30 more seeds would halve these intervals.",
        "- Margins were \\<given\\>, not tuned.",
    ):
        assert part in text


def test_markdown_escapes_names_and_keeps_its_table() -> None:
    text = verdict_markdown(hostile(), EVIL)
    assert "<i>" not in text.replace("\\<i\\>", "")
    table = [line for line in text.splitlines() if line.startswith("|")]
    assert len(table) == 2 + 3
    assert {line.replace("\\|", "").count("|") for line in table} == {13}


@pytest.mark.parametrize("arms", [None])
def test_without_two_arms_there_is_a_sentence(arms: None) -> None:
    text = verdict_markdown(verdict(arms=arms, advice="", summary="No pair."), "digits")
    assert text == "# digits: verdict\n\nNo pair.\n"
    assert rows(verdict_csv(verdict(arms=arms))) == []


def test_latex_has_the_word_of_each_claim_and_the_figures_of_each_part() -> None:
    text = latex_document(Material("0123456789ab", "digits", ["a", "b"], [], hostile()))
    assert "supported & contradicted" in text
    part = r"\quad Recall@1, best epoch & $-$0.050 & $-$0.080 \dots{} $-$0.020 & $-$0.070 \dots{} "
    assert part in text
    assert r"& 0.018 & 10 & supported & " in text
    assert "Over 10 seeds on one split" in text
    assert "<" not in text

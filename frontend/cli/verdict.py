"""The verdict of a comparison as lines of text."""

import textwrap
from collections.abc import Iterator, Mapping
from typing import Any, Final

from frontend.cli.output import printable
from frontend.comparison.verdict.figures import (
    MIN_REPLICATES,
    count_text,
    difference_text,
    interval_text,
    not_trained,
    noun,
    p_text,
    plain,
    reported_rows,
    robust_rows,
    row_label,
    rule_text,
    simultaneous,
    summary_text,
)
from frontend.comparison.verdict.more_replicates import halving_text
from frontend.comparison.verdict.words import WORDS

Json = Mapping[str, Any]

WIDTH: Final = 100
"""Longest line of running text in characters."""
INDENT: Final = " " * 4


def verdict_lines(verdict: Json) -> Iterator[str]:
    """Return the lines: arms that did not train, advice, summary, rule, claims, caveats.

    Texts have no control characters, which could change the terminal.
    """
    for said in not_trained(verdict):
        yield from _wrapped(f"! {said}")
    yield from _wrapped(verdict["advice"])
    yield from _wrapped(summary_text(verdict))
    arms = verdict["arms"]
    if arms is None:
        return
    yield from _wrapped(rule_text(verdict))
    yield ""
    yield from _wrapped(f"{arms['a']} minus {arms['b']}:")
    for claim in verdict["claims"]:
        yield from _claim_lines(claim, noun(verdict))
    yield ""
    yield from _wrapped(halving_text(verdict))
    for caveat in verdict["caveats"]:
        yield from _wrapped(f"- {caveat}")


def _claim_lines(claim: Json, kind: str) -> Iterator[str]:
    word = WORDS[claim["verdict"]]
    yield printable(f"{word.sign} {word.text:<15}  {claim['id']}. {claim['text']}")
    for row in robust_rows(claim):
        yield printable(f"{INDENT}{row_label(row)}: {_figures(row, kind)}")
    if reported_rows(claim):
        reported = WORDS[claim["as_reported"]["word"]]
        yield printable(f"{INDENT}as reported: {reported.sign} {reported.text.lower()}")
    judged, of = claim["parts"]["judged"], claim["parts"]["of"]
    if 0 < judged < of:
        yield f"{INDENT}judged on {judged} of {of} parts"
    yield from _wrapped(claim["disagreement"], INDENT)
    if built := claim["true_by_construction"]:
        yield from _wrapped(f"true by construction: {built}", INDENT)


def _figures(row: Json, kind: str) -> str:
    if row["mean_difference"] is None:
        return "not measured"
    mean = difference_text(row)
    count = count_text(row["n"], kind)
    if row["n"] < MIN_REPLICATES:
        return f"{mean}, {count}, no interval"
    ends = simultaneous(row) or plain(row)
    interval = f" [{interval_text(ends)}]" if ends else ""
    p = "" if row["p_holm"] is None else f", p by Holm {p_text(row['p_holm'])}"
    return f"{mean}{interval}, {count}{p}"


def _wrapped(text: str, indent: str = "") -> list[str]:
    shown = printable(text)
    return textwrap.wrap(shown, WIDTH, initial_indent=indent, subsequent_indent=indent)

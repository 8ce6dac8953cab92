"""One claim: its word and its lines of the forest plot, and, opened, all of its figures."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, Final

from frontend.comparison.verdict import forest
from frontend.comparison.verdict.figures import (
    MIN_REPLICATES,
    count_text,
    difference_text,
    effect_text,
    interval_text,
    mean_text,
    p_text,
    plain,
    ratio_text,
    reported_rows,
    reports_something_else,
    robust_rows,
    row_label,
    simultaneous,
)
from frontend.comparison.verdict.words import WORDS, word_html
from frontend.ui.numbers import short_number
from frontend.ui.table_html import table_html

Json = Mapping[str, Any]

OWN_CLAIM: Final = 9
"""Id of our own claim, which no paper makes."""
COLUMNS: Final = 10
"""Columns of the table of figures without those of p."""


def claim_html(claim: Json, noun: str) -> str:
    """Return a claim as an element that opens.

    Args:
        claim: the API's claim, with arms.
        noun: what a replicate is called: seed, draw or split.
    """
    ours = "<span class='lb-ours'>our own claim</span>" if claim["id"] == OWN_CLAIM else ""
    lines = "".join(_line_html(row, claim["arms"], noun) for row in robust_rows(claim))
    notes = "".join(f"<small>{note}</small>" for note in _notes(claim))
    return (
        f"<details class='lb-claim lb-{claim['verdict']}' data-claim='{claim['id']}'><summary>"
        f"{word_html(claim['verdict'])}"
        f"<span class='lb-text'>{claim['id']}. {escape(claim['text'])} {ours}{notes}</span>"
        f"<span class='lb-parts'>{lines}</span></summary>"
        f"<div><p>{escape(' '.join([claim['reason'], claim['disagreement']]).strip())}</p>"
        f"{_table_html(claim)}{_papers_html(claim)}{_related_html(claim)}</div>"
        "</details>"
    )


def _line_html(row: Json, arms: Json, noun: str) -> str:
    track = forest.track_html(row, arms, noun)
    return (
        f"<span class='lb-part'><span class='lb-name'>{escape(row_label(row))}</span>"
        f"{track or '<span class=lb-track></span>'}"
        f"<span class='lb-figures'>{_figures_html(row, noun)}</span></span>"
    )


def _figures_html(row: Json, noun: str) -> str:
    """Return the mean difference with the interval that decides."""
    if row["mean_difference"] is None:
        return "<small>not measured</small>"
    mean = f"<b>{difference_text(row)}</b>"
    if row["n"] < MIN_REPLICATES:
        return f"{mean}<small>{count_text(row['n'], noun)}, no interval</small>"
    ends = simultaneous(row) or plain(row)
    if ends is None:
        return f"{mean}<small>sign test, {count_text(row['n'], noun)}</small>"
    ratio = f"<small>{ratio_text(row)}</small>" if row["verdict"] == "level" else ""
    return f"{mean}<small>{interval_text(ends)}</small>{ratio}"


def _notes(claim: Json) -> list[str]:
    """Return the small print of the closed claim, as HTML."""
    notes = []
    words = {claim["verdict"], claim["as_reported"]["word"]}
    if reports_something_else(claim) and words != {"not_measured"}:
        shown = WORDS[claim["as_reported"]["word"]]
        names = escape(", ".join(row_label(row) for row in reported_rows(claim)))
        unlike = ", unlike the robust form" if claim["disagreement"] else ""
        notes.append(f"As reported ({names}): <b>{shown.sign} {shown.text.lower()}</b>{unlike}")
    if parts := _parts_text(claim):
        notes.append(escape(parts))
    if built := claim["true_by_construction"]:
        notes.append(f"<em>True by construction:</em> {escape(built)}")
    if claim["p_holm"] is not None:
        notes.append(f"p by Holm = {short_number(claim['p_holm'])}")
    return [*notes, _paper_text(claim)] if claim["reported"] else notes


def _parts_text(claim: Json) -> str:
    """Return on how many parts the word rests, where it is not all of them."""
    parts = claim["parts"]
    if not parts["judged"] or parts["judged"] == parts["of"]:
        return ""
    return f"Judged on {parts['judged']} of {parts['of']} parts."


def _paper_text(claim: Json) -> str:
    """Return the paper's first reported value; the open claim lists all of them."""
    one = claim["reported"][0]
    unit = f" {escape(one['unit'])}" if one["unit"] else ""
    more = len(claim["reported"]) - 1
    others = f" and {more} more inside" if more else ""
    return (
        f"Reported (secondary source): {short_number(one['a'])} contrastive, "
        f"{short_number(one['b'])} triplet{unit} ({escape(one['what'])}){others}"
    )


def _table_html(claim: Json) -> str:
    """Return the table of all figures: the robust form, and below it the measure as reported.

    Without a p-value in any row its columns are left out: so few replicates cannot reach 0.05.
    """
    robust, reported = robust_rows(claim), reported_rows(claim)
    rows = [*robust, *reported]
    has_p = any(row["p_value"] is not None or row["p_holm"] is not None for row in rows)
    arms = claim["arms"]
    p_heads = "<th scope='col'>p</th><th scope='col'>p, Holm</th>" if has_p else ""
    title = "Robust form, on which the word rests"
    body = _group_html(title, claim["verdict"], robust, arms, has_p=has_p)
    if reports_something_else(claim):
        word = claim["as_reported"]["word"]
        title = "As reported: the paper's own measure"
        body += _group_html(title, word, reported, arms, has_p=has_p)
    omitted = (
        "<p class='lb-reported'>p is left out: with so few replicates it could not get below 0.05."
        "</p>"
        if not has_p and any(row["n"] for row in rows)
        else ""
    )
    heads = (
        "<th scope='col'>Metric</th>"
        f"<th scope='col'>claimed: {escape(arms['a'])} is</th>"
        f"<th scope='col'>{escape(arms['a'])}</th><th scope='col'>{escape(arms['b'])}</th>"
        "<th scope='col'>difference</th><th scope='col'>simultaneous interval</th>"
        f"<th scope='col'>95 % interval</th>{p_heads}<th scope='col'>effect g</th>"
        "<th scope='col'>n</th><th scope='col'>word</th>"
    )
    return table_html("Figures of the claim", heads, body) + omitted


def _group_html(title: str, word: str, rows: Sequence[Json], arms: Json, *, has_p: bool) -> str:
    shown, span = WORDS[word], COLUMNS + (2 if has_p else 0)
    head = (
        f"<tr class='lb-family'><th colspan='{span}' scope='rowgroup'>{title}: "
        f"{shown.sign} {shown.text.lower()}</th></tr>"
    )
    return head + "".join(_row_html(row, arms, has_p=has_p) for row in rows)


def _row_html(row: Json, arms: Json, *, has_p: bool) -> str:
    ratio = ratio_text(row)
    notes = [f"<small>{escape(ratio)}</small>"] if ratio else []
    if row["censored"]:
        notes.append(f"<small>{count_text(row['censored'], 'pair')} censored</small>")
    word = WORDS[row["verdict"]]
    level = ""
    if row["level_side"]:
        greater = escape(arms["a" if row["level_side"] == "greater" else "b"])
        level = f"<small>greater in {greater}, by less than matters</small>"
    cells = [
        "greater" if row["expected"] == "greater" else "smaller",
        mean_text(row, "a"),
        mean_text(row, "b"),
        difference_text(row),
        interval_text(simultaneous(row)),
        interval_text(plain(row)),
        *([p_text(row["p_value"]), p_text(row["p_holm"])] if has_p else []),
        effect_text(row),
        str(row["n"]),
        f"{word.sign} {word.text.lower()}{level}",
    ]
    return (
        f"<tr><th scope='row'>{escape(row_label(row))}{''.join(notes)}</th>"
        + "".join(f"<td>{cell}</td>" for cell in cells)
        + "</tr>"
    )


def _related_html(claim: Json) -> str:
    return f"<p class='lb-reported'>{escape(claim['related'])}</p>" if claim["related"] else ""


def _papers_html(claim: Json) -> str:
    if not claim["reported"]:
        return "<p class='lb-reported'>No paper's value is known to us.</p>"
    rows = "".join(
        f"<li>{escape(row['what'])}: {short_number(row['a'])} contrastive, "
        f"{short_number(row['b'])} triplet"
        f"{' ' + escape(row['unit']) if row['unit'] else ''} "
        f"<small>({escape(row['source'])})</small></li>"
        for row in claim["reported"]
    )
    return (
        f"<p class='lb-reported'>Values reported in papers (secondary sources):</p><ul>{rows}</ul>"
    )

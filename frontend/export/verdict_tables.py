"""The verdict as a table: CSV for programs, Markdown for notes and reviews."""

import csv
import re
from collections.abc import Mapping, Sequence
from io import StringIO
from typing import Any, Final

from frontend.comparison.tuning.summary_table import HEADS, SearchTable
from frontend.comparison.verdict.figures import (
    bounds_text,
    difference_text,
    interval_text,
    mean_text,
    not_trained,
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

PAIRS: Final = (
    *("simultaneous", "interval", "bounds"),
    *("ratio_simultaneous", "ratio_interval", "ratio_bounds"),
)
"""Fields of a metric with a lower and an upper end, which are two columns."""
NUMBERS: Final = ("mean_a", "mean_b", "mean_difference", "ratio", "p_value", "p_holm")
COLUMNS: Final = (
    *("claim", "text", "word", "as_reported", "judged_parts", "parts", "disagreement"),
    *("arm_a", "arm_b", "form", "metric", "label", "part", "expected", "metric_word"),
    *(*NUMBERS, "effect_size", "n", "censored"),
    *(f"{name}_{end}" for name in PAIRS for end in ("low", "high")),
)
FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r")
"""A spreadsheet would take a text that begins so for a formula."""


def verdict_csv(verdict: Json) -> str:
    """Return a row for each metric of each claim, numbers in full.

    A text that a spreadsheet would take for a formula gets an apostrophe in front.
    """
    file = StringIO()
    writer = csv.DictWriter(file, COLUMNS, lineterminator="\n", restval="")
    writer.writeheader()
    for claim in verdict["claims"]:
        for form, rows in (("robust", robust_rows(claim)), ("reported", reported_rows(claim))):
            for row in rows:
                cells = {**_claim_cells(claim, verdict), "form": form, **_row_cells(row)}
                writer.writerow({name: _safe(cell) for name, cell in cells.items()})
    return file.getvalue()


def _claim_cells(claim: Json, verdict: Json) -> dict[str, Any]:
    parts = claim["parts"]
    arms = verdict["arms"] or {"a": "", "b": ""}
    return {
        "claim": claim["id"],
        "text": claim["text"],
        "word": claim["verdict"],
        "as_reported": claim["as_reported"]["word"],
        "judged_parts": parts["judged"],
        "parts": parts["of"],
        "disagreement": claim["disagreement"],
        "arm_a": arms["a"],
        "arm_b": arms["b"],
    }


def _row_cells(row: Json) -> dict[str, Any]:
    ends = {
        f"{name}_{end}": value
        for name in PAIRS
        for end, value in zip(("low", "high"), row[name] or (None, None), strict=True)
    }
    own = ("metric", "label", "part", "expected", "effect_size", "n", "censored", *NUMBERS)
    return {**{name: row[name] for name in own}, "metric_word": row["verdict"], **ends}


def _safe(cell: Any) -> Any:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA_STARTS) else cell


def verdict_markdown(verdict: Json, name: str, search: SearchTable | None = None) -> str:
    """Return advice, rule, a table with a row for each robust part, the caveats, and how the arms
    were tuned.

    Args:
        verdict: the API's verdict.
        name: name of the comparison.
        search: its search in words; None if it is not tuned.
    """
    arms = verdict["arms"]
    parts = [f"# {_escape(name)}: verdict"]
    parts += [f"- **{_escape(said)}**" for said in not_trained(verdict)]
    parts += [f"**{_escape(verdict['advice'])}**"] if verdict["advice"] else []
    parts.append(_escape(summary_text(verdict)))
    tuned = [] if search is None else [_search(search)]
    if arms is None:
        return "\n\n".join([*parts, *tuned]) + "\n"
    parts += [
        _escape(rule_text(verdict)),
        _escape(f"Differences are {arms['a']} minus {arms['b']}."),
    ]
    parts += [_table(verdict)]
    parts += ["\n".join(notes)] if (notes := _notes(verdict)) else []
    parts += [_escape(said)] if (said := halving_text(verdict)) else []
    parts += ["\n".join(f"- {_escape(caveat)}" for caveat in verdict["caveats"])]
    parts += tuned
    return "\n\n".join(part for part in parts if part) + "\n"


def _search(search: SearchTable) -> str:
    """Return the search of each arm, and its best settings with their spaces."""
    return "\n\n".join(
        [
            "## Tuning",
            _escape(search.said),
            *(f"**{_escape(problem)}**" for problem in search.problems),
            _markdown_table(HEADS, search.arms),
            _markdown_table(["best setting", *search.names], search.settings),
        ]
    )


def _markdown_table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [_line([_escape(head) for head in heads]), _line(["--"] * len(heads))]
    return "\n".join([*lines, *(_line([_escape(cell) for cell in row]) for row in rows)])


def _table(verdict: Json) -> str:
    arms = verdict["arms"]
    heads = ["claim", "word", "as reported", "metric", arms["a"], arms["b"], "difference"]
    heads += ["simultaneous interval", "95 % interval", "practical bounds", "p, Holm", "n"]
    lines = [_line([_escape(head) for head in heads]), _line(["--"] * len(heads))]
    for claim in verdict["claims"]:
        reported = WORDS[claim["as_reported"]["word"]] if reported_rows(claim) else None
        cells = [
            f"{claim['id']}. {_escape(claim['text'])}",
            _word(claim["verdict"]),
            f"{reported.sign} {reported.text.lower()}" if reported else "",
        ]
        for row in robust_rows(claim):
            lines.append(_line([*cells, *map(_escape, _figures(row))]))
            cells = [""] * len(cells)
    return "\n".join(lines)


def _figures(row: Json) -> list[str]:
    return [
        row_label(row),
        mean_text(row, "a"),
        mean_text(row, "b"),
        difference_text(row),
        interval_text(simultaneous(row)),
        interval_text(plain(row)),
        bounds_text(row),
        p_text(row["p_holm"]),
        str(row["n"]),
    ]


def _notes(verdict: Json) -> list[str]:
    """Return what is said of single claims: disagreement, missing parts, truth by construction."""
    notes = []
    for claim in verdict["claims"]:
        judged, of = claim["parts"]["judged"], claim["parts"]["of"]
        texts = [
            claim["disagreement"],
            f"Judged on {judged} of {of} parts." if 0 < judged < of else "",
            claim["true_by_construction"]
            and f"True by construction: {claim['true_by_construction']}",
        ]
        if said := " ".join(filter(None, texts)):
            notes.append(f"- Claim {claim['id']}: {_escape(said)}")
    return notes


def _word(word: str) -> str:
    return f"{WORDS[word].sign} {WORDS[word].text.lower()}"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _escape(text: str) -> str:
    """Return a text on one line that Markdown shows unchanged."""
    plain_text = re.sub(r"\s+", " ", text)
    return re.sub(r"([\\`*_{}\[\]<>|#~&])", r"\\\1", plain_text)

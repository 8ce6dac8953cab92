"""The tables of a comparison in LaTeX with booktabs, every text escaped."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from frontend.api.types import LeaderboardArm, LeaderboardMetric
from frontend.comparison.leaderboard.texts import ordered, state_text
from frontend.comparison.results_table import Cell, Line, Section
from frontend.comparison.tuning.summary_table import HEADS, SearchTable
from frontend.comparison.verdict.figures import (
    difference_text,
    interval_text,
    p_text,
    plain,
    reported_rows,
    robust_rows,
    row_label,
    rule_text,
    simultaneous,
)
from frontend.comparison.verdict.words import WORDS
from frontend.export.latex_text import escape_latex, one_line
from frontend.ui.numbers import mean_and_spread

Json = Mapping[str, Any]

_ARROWS: Final = {"higher": r" $\uparrow$", "lower": r" $\downarrow$"}


@dataclass(frozen=True)
class Material:
    """All that the file is made of."""

    id: str
    """Of the comparison; its beginning makes the labels of one document unique."""
    name: str
    arms: Sequence[str]
    """In the spec's order."""
    sections: Sequence[Section]
    """The results, as the page shows them."""
    verdict: Json
    """Of the API."""
    over: str = "seeds"
    """What the means are over, as `splits`."""
    ranked: Sequence[LeaderboardMetric] = ()
    """The metrics of the API's leaderboard; no table of ranks without one."""
    search: SearchTable | None = None
    """How the arms were tuned, in words; None if they were not."""

    def label(self, table: str) -> str:
        """Return a label that no table of another comparison has."""
        return f"tab:{self.id[:8]}-{_slug(table)}"


def latex_document(material: Material) -> str:
    r"""Return all tables, each with caption and label, as one text for \input."""
    parts = [f"% {one_line(material.name)}", r"% needs \usepackage{booktabs}"]
    parts += [_results(section, material) for section in material.sections]
    if material.ranked:
        parts.append(_leaderboard(material))
    if material.verdict["arms"] is not None:
        parts.append(_verdict(material))
    if material.search is not None:
        parts += _search(material.search, material)
    return "\n\n".join(parts) + "\n"


def _slug(text: str) -> str:
    return re.sub(r"[^a-z]+", "-", text.lower()).strip("-")


def _results(section: Section, material: Material) -> str:
    rows = [_table_row(line) for line in section.lines]
    caption = (
        f"{section.title}, {material.name}: mean ± standard deviation over {material.over}. Bold: "
        "the best mean, and those that equal it to the decimals shown; with an asterisk, its 95 % "
        "interval (Student's t) overlaps no other arm's."
    )
    columns = f"l{'r' * len(material.arms)}"
    heads = ["", *map(escape_latex, material.arms)]
    table = _table(columns, heads, rows, caption, material.label(section.title))
    left_out = [f"% left out: {one_line(said)}" for said in section.folded.values()]
    return "\n".join([*left_out, table])


def _table_row(line: Line) -> list[str]:
    return [escape_latex(line.label) + _ARROWS.get(line.better or "", ""), *map(_cell, line.cells)]


def _cell(cell: Cell | None) -> str:
    if cell is None:
        return "--"
    shown = escape_latex(f"{cell.mean}{cell.spread}")
    if not cell.mark:
        return shown
    return rf"\textbf{{{shown}}}{'$^*$' if cell.mark == 'best' else ''}"


def _leaderboard(material: Material) -> str:
    metrics = material.ranked
    by_arm = [{arm["arm"]: arm for arm in metric["arms"]} for metric in metrics]
    rows = [
        [escape_latex(arm["arm"]), *(_ranked(metric[arm["arm"]]) for metric in by_arm)]
        for arm in ordered(metrics[0])
    ]
    labels = [metric["label"].removesuffix(" (test)") for metric in metrics]
    caption = (
        f"Leaderboard, {material.name}: mean ± standard deviation over {material.over} on the test "
        f"split, sorted by {labels[0]}. Arms that share a letter have no clear difference in that "
        "metric: two arms differ if the larger of the p-values of the paired t-test and the "
        "sign-flip test, adjusted by Holm over all pairs of arms, is below 0.05."
    )
    heads = ["", *map(escape_latex, labels)]
    return _table(f"l{'r' * len(metrics)}", heads, rows, caption, material.label("leaderboard"))


def _ranked(arm: LeaderboardArm) -> str:
    if arm["mean"] is None:
        return "--"
    shown = escape_latex(mean_and_spread(arm["mean"], arm["sd"]))
    if arm["state"]:
        return f"{shown} ({escape_latex(state_text(arm))})"
    return f"{shown}$^{{{arm['letters']}}}$" if arm["letters"] else shown


def _verdict(material: Material) -> str:
    """Return the table of claims: a row for each claim, and one below it for each robust part."""
    verdict, arms = material.verdict, material.verdict["arms"]
    rows = [row for claim in verdict["claims"] for row in _claim_rows(claim)]
    heads = [
        "claim",
        "difference",
        "simultaneous interval",
        r"95\,\% interval",
        "$p$ (Holm)",
        "$n$",
    ]
    heads += ["word", "as reported"]
    caption = (
        f"{material.name}: {arms['a']} minus {arms['b']}. {verdict['summary']} {rule_text(verdict)}"
    )
    return _table(r"p{0.32\linewidth}rrrrrll", heads, rows, caption, material.label("verdict"))


def _claim_rows(claim: Json) -> list[list[str]]:
    text = f"{claim['id']}. {escape_latex(claim['text'])}"
    reported = _word(claim["as_reported"]["word"]) if reported_rows(claim) else "--"
    parts = [
        [
            rf"\quad {escape_latex(row_label(row))}",
            escape_latex(difference_text(row)),
            escape_latex(interval_text(simultaneous(row))),
            escape_latex(interval_text(plain(row))),
            escape_latex(p_text(row["p_holm"])),
            str(row["n"]),
            _word(row["verdict"]),
            "",
        ]
        for row in robust_rows(claim)
    ]
    return [[text, "", "", "", "", "", _word(claim["verdict"]), reported], *parts]


def _search(search: SearchTable, material: Material) -> list[str]:
    """Return the table of the arms' searches, and that of their best settings with the spaces."""
    arms, settings = (
        [[escape_latex(cell) for cell in row] for row in rows]
        for rows in (search.arms, search.settings)
    )
    heads = [escape_latex(head) for head in HEADS]
    best = ["", *map(escape_latex, search.names)]
    said = " ".join(
        [f"Tuning, {material.name}: {search.said}", *(f"{one}." for one in search.problems)]
    )
    return [
        _table("lrrrrr", heads, arms, said, material.label("tuning")),
        _table(
            f"l{'l' * len(search.names)}",
            best,
            settings,
            f"Best settings, {material.name}: of each arm by {search.label}, with the space "
            "searched.",
            material.label("settings"),
        ),
    ]


def _word(word: str) -> str:
    return WORDS[word].text.lower()


def _table(
    columns: str, heads: Sequence[str], rows: Sequence[Sequence[str]], caption: str, label: str
) -> str:
    body = [" & ".join(row) + r" \\" for row in rows]
    return "\n".join(
        [
            r"\begin{table}",
            r"\centering",
            rf"\caption{{{escape_latex(caption)}}}",
            rf"\label{{{label}}}",
            rf"\begin{{tabular}}{{{columns}}}",
            r"\toprule",
            " & ".join(heads) + r" \\",
            r"\midrule",
            *body,
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{table}",
        ]
    )

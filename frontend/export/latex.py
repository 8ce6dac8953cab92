"""The tables of a comparison in LaTeX with booktabs, every text escaped."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from frontend.api.types import LeaderboardArm, LeaderboardMetric
from frontend.comparison.leaderboard.texts import ordered, state_text
from frontend.comparison.results_table import Cell, Line, Section, format_number
from frontend.comparison.tuning.summary_table import HEADS, SearchTable
from frontend.comparison.verdict.figures import (
    plain,
    reported_rows,
    robust_rows,
    row_label,
    rule_text,
    simultaneous,
)
from frontend.comparison.verdict.words import WORDS

Json = Mapping[str, Any]

_ESCAPES: Final = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "−": "$-$",
    "±": r"$\pm$",
    "×": r"$\times$",
    "≤": r"$\leq$",
    "≥": r"$\geq$",
    "…": r"\dots{}",
    "–": "--",
    "“": "``",
    "”": "''",
    "↑": r"$\uparrow$",
    "↓": r"$\downarrow$",
    "→": r"$\rightarrow$",
    "²": "$^2$",
}
_ARROWS: Final = {"higher": r" $\uparrow$", "lower": r" $\downarrow$"}


def latex_document(  # noqa: PLR0917 - all that the file is made of
    name: str,
    arms: Sequence[str],
    sections: Sequence[Section],
    verdict: Json,
    over: str = "seeds",
    ranked: Sequence[LeaderboardMetric] = (),
    search: SearchTable | None = None,
) -> str:
    r"""Return all tables, each with caption and label, as one text for \input.

    Args:
        name: name of the comparison.
        arms: names of the arms in the spec's order.
        sections: the results, as the page shows them.
        verdict: the API's verdict.
        over: what the means are over, as `splits`.
        ranked: the metrics of the API's leaderboard; no table of ranks without one.
        search: how the arms were tuned, in words; None if they were not.
    """
    parts = [f"% {_one_line(name)}", r"% needs \usepackage{booktabs}"]
    parts += [_results(arms, section, name, over) for section in sections]
    if ranked:
        parts.append(_leaderboard(ranked, name, over))
    if verdict["arms"] is not None:
        parts.append(_verdict(verdict, name))
    if search is not None:
        parts += _search(search, name)
    return "\n\n".join(parts) + "\n"


def escape_latex(text: str) -> str:
    """Return a text on one line, escaped for LaTeX."""
    return "".join(_ESCAPES.get(character, character) for character in _one_line(text))


def _one_line(text: str) -> str:
    return re.sub(r"\s+", " ", text)


def _results(arms: Sequence[str], section: Section, name: str, over: str) -> str:
    rows = [_table_row(line) for line in section.lines]
    caption = (
        f"{section.title}, {name}: mean ± standard deviation over {over}. Bold: the best mean; "
        "with an asterisk, its 95 % interval meets no other arm's."
    )
    label = re.sub(r"[^a-z]+", "-", section.title.lower()).strip("-")
    return _table(f"l{'r' * len(arms)}", ["", *map(escape_latex, arms)], rows, caption, label)


def _table_row(line: Line) -> list[str]:
    return [escape_latex(line.label) + _ARROWS.get(line.better or "", ""), *map(_cell, line.cells)]


def _cell(cell: Cell | None) -> str:
    if cell is None:
        return "--"
    shown = escape_latex(f"{cell.mean}{cell.spread}")
    if not cell.mark:
        return shown
    return rf"\textbf{{{shown}}}{'$^*$' if cell.mark == 'best' else ''}"


def _leaderboard(metrics: Sequence[LeaderboardMetric], name: str, over: str) -> str:
    by_arm = [{arm["arm"]: arm for arm in metric["arms"]} for metric in metrics]
    rows = [
        [escape_latex(arm["arm"]), *(_ranked(metric[arm["arm"]]) for metric in by_arm)]
        for arm in ordered(metrics[0])
    ]
    labels = [metric["label"].removesuffix(" (test)") for metric in metrics]
    caption = (
        f"Leaderboard, {name}: mean ± standard deviation over {over} on the test split, sorted by "
        f"{labels[0]}. "
        "Arms that share a letter are not clearly different in this metric (Holm over all pairs "
        "of arms)."
    )
    heads = ["", *map(escape_latex, labels)]
    return _table(f"l{'r' * len(metrics)}", heads, rows, caption, "leaderboard")


def _ranked(arm: LeaderboardArm) -> str:
    if arm["mean"] is None:
        return "--"
    spread = "" if arm["sd"] is None else f" ± {format_number(arm['sd'])}"
    shown = escape_latex(f"{format_number(arm['mean'])}{spread}")
    if arm["state"]:
        return f"{shown} ({escape_latex(state_text(arm))})"
    return f"{shown}$^{{{arm['letters']}}}$" if arm["letters"] else shown


def _verdict(verdict: Json, name: str) -> str:
    """Return the table of claims: a row for each claim, and one below it for each robust part."""
    arms = verdict["arms"]
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
    caption = f"{name}: {arms['a']} minus {arms['b']}. {verdict['summary']} {rule_text(verdict)}"
    return _table(r"p{0.32\linewidth}rrrrrll", heads, rows, caption, "verdict")


def _claim_rows(claim: Json) -> list[list[str]]:
    text = f"{claim['id']}. {escape_latex(claim['text'])}"
    reported = _word(claim["as_reported"]["word"]) if reported_rows(claim) else "--"
    parts = [
        [
            rf"\quad {escape_latex(row_label(row))}",
            _number(row["mean_difference"]),
            _interval(simultaneous(row)),
            _interval(plain(row)),
            _number(row["p_holm"]),
            str(row["n"]),
            _word(row["verdict"]),
            "",
        ]
        for row in robust_rows(claim)
    ]
    return [[text, "", "", "", "", "", _word(claim["verdict"]), reported], *parts]


def _search(search: SearchTable, name: str) -> list[str]:
    """Return the table of the arms' searches, and that of their best settings with the spaces."""
    arms, settings = (
        [[escape_latex(cell) for cell in row] for row in rows]
        for rows in (search.arms, search.settings)
    )
    heads = [escape_latex(head) for head in HEADS]
    best = ["", *map(escape_latex, search.names)]
    said = " ".join([f"Tuning, {name}: {search.said}", *(f"{one}." for one in search.problems)])
    return [
        _table("lrrrrr", heads, arms, said, "tuning"),
        _table(
            f"l{'l' * len(search.names)}",
            best,
            settings,
            f"Best settings, {name}: of each arm by {search.label}, with the space searched.",
            "settings",
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
            rf"\label{{tab:{label}}}",
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


def _number(value: float | None) -> str:
    return "--" if value is None else f"${value:.3g}$".replace("e-0", "e-").replace("e+0", "e")


def _interval(bounds: Sequence[float] | None) -> str:
    return "--" if bounds is None else f"[{_number(bounds[0])}, {_number(bounds[1])}]"

"""A comparison's head, settings and results as HTML, every text escaped."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from html import escape
from itertools import zip_longest
from typing import Any, Final

from frontend.comparison.results_table import Cell, Line, Section
from frontend.comparison.spec_text import Fact, Setting
from frontend.ui.table_html import table_html
from frontend.ui.theme import ArmStyle, Theme, line_sample

_ARROWS: Final = {"higher": "↑", "lower": "↓"}
_MARKS: Final = {
    "best": ("●", "best; its 95 % interval does not overlap any other arm's"),
    "ahead": ("○", "best mean, intervals overlap"),
    "": ("", ""),
}


def head_html(comparison: Mapping[str, Any], facts: Sequence[Fact], difference: str) -> str:
    """Return the head: on one line what all arms share, and the tags; opened, that in full, who
    submitted it, and in what the arms differ."""
    tags = "".join(f"<span class='lb-tag'>{escape(tag)}</span>" for tag in comparison["tags"])
    if comparison.get("archived"):
        tags = f"<span class='lb-tag lb-archived'>in the archive</span>{tags}"
    by = f" by {escape(comparison['created_by'])}" if comparison.get("created_by") else ""
    items = "".join(
        f"<div><dt>{escape(fact.name)}</dt><dd>{escape(fact.value)}</dd></div>" for fact in facts
    )
    line = "".join(
        f"<span><small>{escape(fact.name)}</small> {escape(fact.value)}</span>" for fact in facts
    )
    return (
        "<details class='lb-head'><summary><b>Set-up</b>"
        f"<span class='lb-line-of-facts'>{line}</span>{tags}</summary>"
        f"<dl>{items}</dl><p>{escape(difference)}</p>"
        f"<p><span>Submitted {format_time(comparison['created_at'])}{by}</span>"
        f"<code>{escape(comparison['id'])}</code></p></details>"
    )


def settings_table(arms: Mapping[str, ArmStyle], rows: Sequence[Setting], theme: Theme) -> str:
    """Return the table of every setting of every arm as it is written; settings that differ are
    highlighted, and below one that is tuned stand the values that are searched."""
    body = "".join(
        f"<tr{' class=lb-differs' if row.differs and row.name != 'Loss' else ''}>"
        f"<th scope='row'>{escape(row.name)}</th>" + "".join(_setting_cells(row)) + "</tr>"
        for row in rows
    )
    return _table(arms, theme, body, name="Settings of the arms", kind="lb-plain")


def _setting_cells(row: Setting) -> Iterator[str]:
    for value, space in zip_longest(row.values, row.searched, fillvalue=""):
        tuned = f"<small>tuned: {escape(space)}</small>" if space else ""
        yield f"<td>{escape(value) or '–'}{tuned}</td>"


def results_table(arms: Mapping[str, ArmStyle], section: Section, theme: Theme) -> str:
    """Return the table of mean, spread, interval and count per metric and arm, the best marked.

    Further columns, where there are values: the untrained encoder, the raw backbone, chance, and
    the difference between two arms.
    """
    names = list(arms)
    more = ["untrained"] if section.has_untrained else []
    more += section.references
    more += [f"{names[0]} − {names[1]}"] if section.has_differences else []
    body, family = "", ""
    for line in section.lines:
        if line.family != family:
            family = line.family
            span = 1 + len(arms) + len(more)
            body += (
                f"<tr class='lb-family'><th colspan='{span}' scope='rowgroup'>{family}</th></tr>"
            )
        body += _line(line, section)
    said = "".join(f"<li>{escape(one)}</li>" for one in section.folded.values())
    folded = f"<ul class='lb-folded' aria-label='Left out'>{said}</ul>" if said else ""
    return _table(arms, theme, body, more, name=section.title) + folded


def format_time(iso: str) -> str:
    """Format an ISO time as "2026-11-23 14:05 UTC"."""
    return f"{datetime.fromisoformat(iso):%Y-%m-%d %H:%M} UTC"


def _line(line: Line, section: Section) -> str:
    arrow = _ARROWS.get(line.better or "", "")
    hint = f"<span class='lb-arrow' title='{line.better} is better'>{arrow}</span>" if arrow else ""
    cells = "".join(_cell(cell, "<small>not measured</small>") for cell in line.cells)
    if section.has_untrained:
        cells += f"<td class='lb-untrained'>{line.untrained or '–'}</td>"
    for title in section.references:
        cells += f"<td class='lb-untrained'>{line.references.get(title, '–')}</td>"
    if section.has_differences:
        cells += _cell(line.difference)
    return f"<tr><th scope='row'>{escape(line.label)} {hint}</th>{cells}</tr>"


def _cell(cell: Cell | None, nothing: str = "–") -> str:
    if cell is None:
        return f"<td>{nothing}</td>"
    sign, meaning = _MARKS[cell.mark]
    mark = f"<span class='lb-mark' title='{escape(meaning, quote=True)}'>{sign}</span>"
    small = " · ".join(filter(None, (cell.interval, f"n = {cell.count}", cell.note)))
    kind = f" class='lb-{cell.mark}'" if cell.mark else ""
    return f"<td{kind}>{mark}<b>{cell.mean}</b>{cell.spread}<small>{small}</small></td>"


def swatch(style: ArmStyle, theme: Theme) -> str:
    """Return a sample of an arm's line in its colour and dash."""
    return line_sample(style.color(theme), style.dash)


def _table(
    arms: Mapping[str, ArmStyle],
    theme: Theme,
    body: str,
    more: Sequence[str] = (),
    *,
    name: str,
    kind: str = "",
) -> str:
    heads = "".join(
        f"<th scope='col'>{swatch(style, theme)}{escape(arm)}</th>" for arm, style in arms.items()
    )
    heads += "".join(f"<th scope='col'>{escape(title)}</th>" for title in more)
    return table_html(name, f"<td></td>{heads}", body, kind=kind)

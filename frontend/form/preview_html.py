"""The preview of a comparison as HTML, every text escaped."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Final

from frontend.api.types import Preview, SplitSizes
from frontend.errors import FieldProblem
from frontend.form.preview import Answer
from frontend.form.preview_text import PARTS, Fact, Figure, facts, parts
from frontend.form.schema_fields import path_text

MAX_PROBLEMS: Final = 3
"""Problems of an incomplete form that the preview names; the others are counted."""


def preview_html(answer: Answer, shown: Mapping[str, str]) -> str:
    """Return the block beside the Start button.

    Args:
        answer: of the API.
        shown: titles of the fields that the page shows, by path.
    """
    if answer.away:
        return _block(
            "away",
            f"<p><b>No preview now.</b> {escape(answer.away)} "
            "The form is kept; what you start is checked all the same.</p>",
        )
    if answer.preview is None:
        return _block("incomplete", _problems(answer.problems, shown))
    return _block("ready", _figures(answer.preview))


def _block(state: str, content: str) -> str:
    return (
        f"<section class='lb-preview' aria-label='Preview' data-state='{state}'>{content}</section>"
    )


def _problems(problems: Sequence[FieldProblem], shown: Mapping[str, str]) -> str:
    lines = "".join(
        f"<li><b>{escape(path_text(one.path, shown) or 'Spec')}</b>: {escape(one.message)}</li>"
        for one in problems[:MAX_PROBLEMS]
    )
    more = len(problems) - MAX_PROBLEMS
    rest = f"<li>and {more} more</li>" if more > 0 else ""
    return f"<p><b>The preview shows once the form is complete:</b></p><ul>{lines}{rest}</ul>"


def _figures(preview: Preview) -> str:
    cells = "".join(map(_cell, facts(preview)))
    warned = "".join(
        f"<li><i aria-hidden='true'>⚠</i> {escape(one['message'])}</li>"
        for one in preview["warnings"]
    )
    listed = f"<ul class='lb-warned' aria-label='Warnings'>{warned}</ul>" if warned else ""
    return f"{_bar(preview['splits'])}<dl>{cells}</dl>{listed}"


def _bar(splits: SplitSizes) -> str:
    """Return the split as a bar; empty where it is not known."""
    sizes = {
        name: part["items"]["least"] for name, part in parts(splits) if part["items"] is not None
    }
    if len(sizes) < len(PARTS) or not sum(sizes.values()):
        return ""
    told = ", ".join(f"{size:,} {PARTS[name].lower()}" for name, size in sizes.items())
    pieces = "".join(
        f"<i data-part='{name}' style='flex-grow: {size}'></i>" for name, size in sizes.items()
    )
    return f"<div class='lb-split' role='img' aria-label='Items: {told}'>{pieces}</div>"


def _cell(fact: Fact) -> str:
    mark = f"<i data-part='{fact.part}' aria-hidden='true'></i>" if fact.part else ""
    return f"<div><dt>{mark}{escape(fact.title)}</dt>{''.join(map(_figure, fact.figures))}</div>"


def _figure(figure: Figure) -> str:
    main = escape(figure.main)
    main = f"<span class='lb-later'>{main}</span>" if figure.later else main
    small = f"<small>{escape(figure.more)}</small>" if figure.more else ""
    return f"<dd>{main}{small}</dd>"

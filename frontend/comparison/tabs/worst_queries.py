"""The texts that retrieve worst, arm by arm, as sentences."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, Final

from frontend.comparison.tabs.view import class_name
from frontend.ui.table_html import table_html

SHOWN: Final = 6
"""Queries of an arm."""
CHARACTERS: Final = 140
"""Characters of a query that are shown."""


def worst_queries(precisions: Sequence[float | None], count: int = SHOWN) -> list[int]:
    """Return the samples with the lowest average precision, the lowest first; samples that have
    none, as they are alone in their class, are left out."""
    known = [(value, sample) for sample, value in enumerate(precisions) if value is not None]
    return [sample for _, sample in sorted(known)[:count]]


def worst_queries_table(arms: Sequence[Mapping[str, Any]], samples: Mapping[str, Any]) -> str:
    """Return the worst queries of each arm as an HTML table, every text escaped.

    Args:
        arms: facts of the arms at one epoch, as the API gives them.
        samples: the samples of the snapshot; they are texts.
    """
    rows = []
    for arm in arms:
        found = worst_queries(arm["average_precision"])
        for at, sample in enumerate(found):
            head = f"<th scope='rowgroup' rowspan='{len(found)}'>{escape(arm['arm'])}</th>"
            rows.append(
                f"<tr>{head if at == 0 else ''}<td>{escape(_text(samples, sample))}</td>"
                f"<td>{escape(_label(samples, sample))}</td>"
                f"<td>{arm['average_precision'][sample]:.3f}</td></tr>"
            )
    heads = "".join(
        f"<th scope='col'>{head}</th>" for head in ("Arm", "Query", "Class", "Average precision")
    )
    return table_html("Worst queries", heads, "".join(rows), kind="lb-texts")


def worst_tuples_table(arms: Sequence[Mapping[str, Any]], samples: Mapping[str, Any]) -> str:
    """Return the worst queries of each arm on data that come as tuples, as an HTML table: each with
    a text that belongs to it; empty if no text has a positive.

    Args:
        arms: facts of the arms at one epoch, as the API gives them.
        samples: the samples of the snapshot; they are texts, and their labels groups.
    """
    members: dict[int, list[int]] = {}
    for sample, label in enumerate(samples["labels"]):
        members.setdefault(label, []).append(sample)
    rows = []
    for arm in arms:
        found = worst_queries(arm["average_precision"])
        for at, sample in enumerate(found):
            head = f"<th scope='rowgroup' rowspan='{len(found)}'>{escape(arm['arm'])}</th>"
            positive = next(one for one in members[samples["labels"][sample]] if one != sample)
            texts = (_text(samples, one) for one in (sample, positive))
            cells = "".join(f"<td>{escape(text)}</td>" for text in texts)
            rows.append(
                f"<tr>{head if at == 0 else ''}{cells}"
                f"<td>{arm['average_precision'][sample]:.3f}</td></tr>"
            )
    heads = ("Arm", "Query", "A positive of it", "Average precision")
    cells = "".join(f"<th scope='col'>{head}</th>" for head in heads)
    return table_html("Worst queries", cells, "".join(rows), kind="lb-texts") if rows else ""


def _text(samples: Mapping[str, Any], sample: int) -> str:
    text = str(samples["texts"][sample])
    return text if len(text) <= CHARACTERS else f"{text[: CHARACTERS - 1].rstrip()}…"


def _label(samples: Mapping[str, Any], sample: int) -> str:
    """Return the class of a sample, with its fine label where it has one."""
    name = class_name(samples, samples["labels"][sample])
    fine = -1 if samples["fine"] is None else samples["fine"][sample]
    if fine < 0:
        return name
    named = samples["fine_names"][fine] if samples["fine_names"] else f"fine label {fine}"
    return f"{name}, {named.removeprefix(f'{name}: ')}"

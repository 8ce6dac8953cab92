"""The preview of a comparison as HTML, every text escaped."""

from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Final

from frontend.api.types import (
    Amount,
    ArmPreview,
    BatchTuples,
    PartSize,
    Preview,
    SchedulePreview,
    SplitSizes,
)
from frontend.errors import FieldProblem
from frontend.form.preview import Answer
from frontend.form.schema_fields import path_text
from frontend.ui.text import count_text, duration

ONCE_READ: Final = "known once the data are read"
MAX_PROBLEMS: Final = 3
"""Problems of an incomplete form that the preview names; the others are counted."""
AT_ONCE_S: Final = 1.0
MAX_ARMS: Final = 3
"""Arms that a line names; the others are counted."""
PARTS: Final = {"train": "Train", "validation": "Validation", "test": "Test"}
UNITS: Final = {
    "pairs": "pair",
    "triplets": "triplet",
    "softmaxes": "softmax term",
    "items": "item",
}


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
    splits, arms = preview["splits"], preview["arms"]
    trials = preview["trial_splits"]
    cells = [
        *(
            _cell(PARTS[name], *_part_texts(part), part=name)
            for name, part in _parts(splits).items()
        ),
        *([_cell("Trials train on", *_part_texts(trials["train"]))] if trials else []),
        _cell_of_arms("Steps of a run", arms, _steps_text),
        _cell_of_arms("Tuples of a batch", arms, _tuples_text),
        _cell("Time", *time_texts(preview["schedule"])),
    ]
    warned = "".join(
        f"<li><i aria-hidden='true'>⚠</i> {escape(one['message'])}</li>"
        for one in preview["warnings"]
    )
    listed = f"<ul class='lb-warned' aria-label='Warnings'>{warned}</ul>" if warned else ""
    return f"{_bar(splits)}<dl>{''.join(cells)}</dl>{listed}"


def _parts(splits: SplitSizes) -> dict[str, PartSize]:
    found = {"train": splits["train"], "validation": splits["validation"]}
    return found if splits["test"] is None else {**found, "test": splits["test"]}


def _bar(splits: SplitSizes) -> str:
    """Return the split as a bar; empty where it is not known."""
    sizes = {
        name: part["items"]["least"]
        for name, part in _parts(splits).items()
        if part["items"] is not None
    }
    if len(sizes) < len(PARTS) or not sum(sizes.values()):
        return ""
    told = ", ".join(f"{size:,} {PARTS[name].lower()}" for name, size in sizes.items())
    pieces = "".join(
        f"<i data-part='{name}' style='flex-grow: {size}'></i>" for name, size in sizes.items()
    )
    return f"<div class='lb-split' role='img' aria-label='Items: {told}'>{pieces}</div>"


def _cell(title: str, main: str, more: str = "", *, part: str = "") -> str:
    mark = f"<i data-part='{part}' aria-hidden='true'></i>" if part else ""
    small = f"<small>{more}</small>" if more else ""
    return f"<div><dt>{mark}{escape(title)}</dt><dd>{main}{small}</dd></div>"


def _part_texts(part: PartSize) -> tuple[str, str]:
    if part["items"] is None:
        return _later(ONCE_READ), ""
    more = ""
    if part["classes"] is not None:
        more = f"{amount_text(part['classes'])} classes"
    if part["smallest_class"] is not None:
        more += f", smallest {amount_text(part['smallest_class'])}"
    return f"{amount_text(part['items'])} items", more


def _cell_of_arms(
    title: str, arms: Sequence[ArmPreview], texts: Callable[[ArmPreview], tuple[str, str]]
) -> str:
    """Return a cell with one line for each group of arms that have the same."""
    groups: dict[tuple[str, str], list[str]] = {}
    for arm in arms:
        groups.setdefault(texts(arm), []).append(arm["name"])
    if len(groups) == 1:
        [(main, more)] = groups
        return _cell(title, main, more)
    lines = "".join(
        f"<dd>{main}<small>{escape(_names(names))}{f' · {more}' if more else ''}</small></dd>"
        for (main, more), names in groups.items()
    )
    return f"<div><dt>{escape(title)}</dt>{lines}</div>"


def _names(names: Sequence[str]) -> str:
    more = len(names) - MAX_ARMS
    return ", ".join(names[:MAX_ARMS]) + (f" and {more} more" if more > 0 else "")


def _steps_text(arm: ArmPreview) -> tuple[str, str]:
    batch = f"batch {arm['batch_size']:,}, {count_text(arm['epochs'], 'epoch')}"
    if arm["steps"] is None or arm["steps_per_epoch"] is None:
        return _later(ONCE_READ), batch
    trial = ""
    if arm["trial_steps"] is not None and arm["trial_steps"] != arm["steps"]:
        trial = f", {amount_text(arm['trial_steps'])} in a trial"
    each = amount_text(arm["steps_per_epoch"])
    return amount_text(arm["steps"]), f"{each} an epoch{trial} · {batch}"


def _tuples_text(arm: ArmPreview) -> tuple[str, str]:
    tuples = arm["tuples"]
    if tuples is None:
        return _later(ONCE_READ), ""
    unit = UNITS[tuples["unit"]]
    main = f"{_mean_text(tuples['total'], tuples)} {unit}{'' if tuples['total'] == 1 else 's'}"
    pairs = (
        f"{_mean_text(tuples['positive_pairs'], tuples)} positive, "
        f"{_mean_text(tuples['negative_pairs'], tuples)} negative pairs"
    )
    chosen = "" if tuples["selection"] == "all" else f", {tuples['selection'].replace('_', ' ')}"
    return main, f"{pairs}{chosen}"


def time_texts(schedule: SchedulePreview) -> tuple[str, str]:
    """Return how long all runs take, and when they begin or why that is not known."""
    slots = count_text(schedule["slots"], "slot")
    if not schedule["slots"]:
        return _later("no worker"), "no connected worker may take its runs; they wait for one"
    work = schedule["work_s"]
    if work is None:
        return _later("not known yet"), f"nothing like it has run here; {slots} connected"
    begins, ends = schedule["begins_in_s"], schedule["ends_in_s"]
    if begins is None or ends is None:
        return f"about {duration(work)} of one slot", f"{slots}; its start is not known yet"
    taken = f"about {duration(ends - begins)}"
    waiting = count_text(schedule["waiting"], "waiting run")
    start = "starts at once" if begins < AT_ONCE_S else f"starts in about {duration(begins)}"
    behind = f", {waiting}" if schedule["waiting"] else ""
    return taken, f"on {slots}, {start}{behind}; as earlier runs like it took"


def _later(text: str) -> str:
    return f"<span class='lb-later'>{text}</span>"


def amount_text(amount: Amount) -> str:
    """Return an amount: "1,074", "about 4,690" or "980 to 1,020"."""
    about = "about " if amount["about"] else ""
    if amount["least"] == amount["most"]:
        return f"{about}{amount['least']:,}"
    return f"{about}{amount['least']:,} to {amount['most']:,}"


def _mean_text(number: float, tuples: BatchTuples) -> str:
    """Return a number of tuples; of a mean three digits."""
    if not tuples["mean"]:
        return f"{number:,.0f}"
    if number < 10:
        return f"{number:.2g}"
    return f"about {float(f'{number:.3g}'):,.0f}"

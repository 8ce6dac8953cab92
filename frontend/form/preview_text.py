"""The preview of a comparison in words, for the form and for the command line."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple

from frontend.api.types import (
    Amount,
    ArmPreview,
    BatchTuples,
    PartSize,
    Preview,
    SchedulePreview,
    SplitSizes,
)
from frontend.ui.text import bytes_text, count_text, duration, start_text

ONCE_READ: Final = "known once the data are read"
MAX_ARMS: Final = 3
"""Arms that a line names; the others are counted."""
PARTS: Final = {"train": "Train", "validation": "Validation", "test": "Test"}
UNITS: Final = {
    "pairs": "pair",
    "triplets": "triplet",
    "softmaxes": "softmax term",
    "items": "item",
}


class Figure(NamedTuple):
    """One figure: what matters, and what explains it."""

    main: str
    more: str = ""
    later: bool = False
    """Whether it is not known yet."""


class Fact(NamedTuple):
    """A titled figure, or several where arms differ."""

    title: str
    figures: list[Figure]
    part: str = ""
    """The split that it is of."""


def facts(preview: Preview) -> list[Fact]:
    """Return all figures of a preview in their order."""
    trials, arms = preview["trial_splits"], preview["arms"]
    return [
        *(Fact(PARTS[name], [part_figure(part)], name) for name, part in parts(preview["splits"])),
        *([Fact("Trials train on", [part_figure(trials["train"])])] if trials else []),
        Fact("Steps of a run", _of_arms(arms, steps_figure)),
        Fact("Memory of a run", _of_arms(arms, memory_figure)),
        Fact("Time", [time_figure(preview["schedule"])]),
        Fact("Tuples of a batch", _of_arms(arms, tuples_figure)),
    ]


def parts(splits: SplitSizes) -> Iterator[tuple[str, PartSize]]:
    """Yield the name and size of each split."""
    yield "train", splits["train"]
    yield "validation", splits["validation"]
    if splits["test"] is not None:
        yield "test", splits["test"]


def part_figure(part: PartSize) -> Figure:
    """Return the size of a split."""
    if part["items"] is None:
        return Figure(ONCE_READ, later=True)
    more = [] if part["classes"] is None else [f"{amount_text(part['classes'])} classes"]
    if part["smallest_class"] is not None:
        more.append(f"smallest {amount_text(part['smallest_class'])}")
    return Figure(f"{amount_text(part['items'])} items", ", ".join(more))


def steps_figure(arm: ArmPreview) -> Figure:
    """Return the steps of a run of an arm."""
    batch = f"batch {arm['batch_size']:,}, {count_text(arm['epochs'], 'epoch')}"
    if arm["steps"] is None or arm["steps_per_epoch"] is None:
        return Figure(ONCE_READ, batch, later=True)
    trial = ""
    if arm["trial_steps"] is not None and arm["trial_steps"] != arm["steps"]:
        trial = f", {amount_text(arm['trial_steps'])} in a trial"
    each = amount_text(arm["steps_per_epoch"])
    return Figure(amount_text(arm["steps"]), f"{each} an epoch{trial} · {batch}")


def tuples_figure(arm: ArmPreview) -> Figure:
    """Return the tuples that a batch of an arm can form."""
    tuples = arm["tuples"]
    if tuples is None:
        return Figure(ONCE_READ, later=True)
    unit = UNITS[tuples["unit"]]
    main = f"{_mean_text(tuples['total'], tuples)} {unit}{'' if tuples['total'] == 1 else 's'}"
    pairs = (
        f"{_mean_text(tuples['positive_pairs'], tuples)} positive, "
        f"{_mean_text(tuples['negative_pairs'], tuples)} negative pairs"
    )
    chosen = "" if tuples["selection"] == "all" else f", {tuples['selection'].replace('_', ' ')}"
    return Figure(main, f"{pairs}{chosen}")


def memory_figure(arm: ArmPreview) -> Figure:
    """Return the memory that a run of an arm needs, roughly."""
    memory = arm["memory"]
    if memory is None:
        return Figure(ONCE_READ, later=True)
    return Figure(
        f"roughly {bytes_text(memory['total'])}",
        f"items {bytes_text(memory['items'])}, network and optimiser "
        f"{bytes_text(memory['network'])}, batch {bytes_text(memory['batch'])}; "
        "without the process itself",
    )


def time_figure(schedule: SchedulePreview) -> Figure:
    """Return how long all runs take, and when they begin or why that is not known."""
    slots = count_text(schedule["slots"], "slot")
    if not schedule["slots"]:
        why = "no connected worker may take its runs; they wait for one"
        return Figure("no worker", why, later=True)
    work = schedule["work_s"]
    if work is None:
        return Figure("not known yet", f"nothing like it has run here; on {slots}", later=True)
    begins, ends = schedule["begins_in_s"], schedule["ends_in_s"]
    if begins is None or ends is None:
        main = f"about {duration(work)} of one slot"
        return Figure(main, f"on {slots}; its start is not known yet")
    waiting = count_text(schedule["waiting"], "run")
    behind = f", {waiting} waiting" if schedule["waiting"] else ""
    return Figure(
        f"about {duration(ends - begins)}",
        f"on {slots}, {start_text(begins)}{behind}; as earlier runs like it took",
    )


def _of_arms(arms: Sequence[ArmPreview], figure: Callable[[ArmPreview], Figure]) -> list[Figure]:
    """Return one figure where all arms have the same; else one for each group, with its arms."""
    groups: dict[Figure, list[str]] = {}
    for arm in arms:
        groups.setdefault(figure(arm), []).append(arm["name"])
    if len(groups) == 1:
        return list(groups)
    return [
        found._replace(more=f"{_names(names)}{f' · {found.more}' if found.more else ''}")
        for found, names in groups.items()
    ]


def _names(names: Sequence[str]) -> str:
    more = len(names) - MAX_ARMS
    return ", ".join(names[:MAX_ARMS]) + (f" and {more} more" if more > 0 else "")


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

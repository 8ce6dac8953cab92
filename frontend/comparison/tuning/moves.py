"""How far apart the arms' best values are, and what one setting of a loss alone moves."""

from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Final

from frontend.api.types import Trial, TunedArm, Tuning
from frontend.comparison.tuning.texts import trial_at
from frontend.ui.numbers import short_number

FEWEST: Final = 9
"""Complete trials of an arm, so that three stand in each third."""
_PARTS: Final = 3


def best_text(found: Tuning, label: str, *, lower_better: bool = False) -> str:
    """Return the best validation value of each arm, the best first, and how far apart they are; ""
    before any is known.

    Args:
        found: the search.
        label: of the objective.
        lower_better: whether smaller values are better.
    """
    best = [(arm["name"], trial_at(arm, arm["best"])) for arm in found["arms"]]
    known = [(name, trial["value"]) for name, trial in best if trial and trial["value"] is not None]
    known.sort(key=lambda one: one[1], reverse=not lower_better)
    if not known:
        return ""
    listed = ", ".join(f"{name} {short_number(value)}" for name, value in known)
    apart = known[0][1] - known[-1][1]
    gap = "" if len(known) == 1 else f", {short_number(abs(apart))} apart"
    return f"Best {label} on validation data: {listed}{gap}."


def moved_text(found: Tuning, titles: Mapping[str, str], label: str) -> str:
    """Return what the first setting of each arm's loss alone moves; "" with too few trials.

    Args:
        found: the search.
        titles: of the searched settings, by path.
        label: of the objective.
    """
    said = []
    for arm in found["arms"]:
        path = main_setting(arm)
        thirds = third_means(arm["trials"], path) if path else []
        if thirds:
            moved = short_number(max(thirds) - min(thirds))
            name = titles.get(path, path).partition(" / ")[0].lower()
            said.append(f"{arm['name']} {moved} by its {name}")
    if not said:
        return ""
    return (
        f"What one setting alone moves in {label}: {', '.join(said)} (between the means of the "
        "trials in the lowest, middle and highest third of its values)."
    )


def main_setting(arm: TunedArm) -> str:
    """Return the first setting of the loss that an arm searches, such as its margin; "" if none."""
    return next((path for path in arm["space"] if path.startswith("loss.")), "")


def third_means(trials: Iterable[Trial], path: str) -> list[float]:
    """Return the mean value of the complete trials in each third of a setting's values, the lowest
    first; none where the setting is no number, or where too few trials are complete."""
    known = sorted(
        (float(x), trial["value"])
        for trial in trials
        if trial["value"] is not None and isinstance(x := trial["params"].get(path), int | float)
    )
    if len(known) < FEWEST or known[0][0] == known[-1][0]:
        return []
    bounds = [round(len(known) * part / _PARTS) for part in range(_PARTS + 1)]
    parts = [known[low:high] for low, high in pairwise(bounds)]
    return [sum(value for _, value in part) / len(part) for part in parts]

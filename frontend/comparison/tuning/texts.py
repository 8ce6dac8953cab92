"""What is said of a search: its phase, its objective, its settings and their values."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, Literal

from frontend.api.types import Comparison, ComparisonDetail, Trial, TunedArm, Tuning
from frontend.ui.numbers import format_number
from frontend.ui.plugin_losses import loss_kind
from frontend.ui.text import OPEN_STATES, count_text

Catalogue = Mapping[str, Any]
SMALL: Final = 1e-9
LARGE: Final = 1000
"""Numbers from SMALL to LARGE are shown with three significant digits."""
RunState = Literal["queued", "running", "succeeded", "failed", "cancelled"]

ENDED: Final[tuple[RunState, ...]] = ("succeeded", "failed", "cancelled")
"""States of a run that has ended."""
OVER: Final = ("complete", "failed")
"""States of a trial that counts against the budget."""
STATE_TEXTS: Final = {
    "waiting": "◌ waiting",
    "running": "▶ running",
    "complete": "✓ complete",
    "failed": "✕ failed",
    "cancelled": "◼ cancelled",
}
"""State of a trial -> a sign and a word."""


def trial_at(arm: TunedArm, number: int | None) -> Trial | None:
    """Return the trial of a number; None if there is none."""
    return next((trial for trial in arm["trials"] if trial["number"] == number), None)


def trial_of_run(found: Tuning, run: str) -> tuple[TunedArm, Trial] | None:
    """Return the trial of a run, with its arm; None if no trial has it."""
    trials = ((arm, trial) for arm in found["arms"] for trial in arm["trials"])
    return next(
        ((arm, trial) for arm, trial in trials if any(one["id"] == run for one in trial["runs"])),
        None,
    )


def counted(arm: TunedArm, *states: str) -> int:
    """Return how many trials of an arm are in one of these states."""
    return sum(trial["state"] in states for trial in arm["trials"])


def own_runs(comparison: Comparison | ComparisonDetail) -> dict[RunState, int]:
    """Return the numbers of runs by state of which a comparison's results are: of one that is tuned
    the final ones."""
    trials: Mapping[RunState, int] = comparison["trial_runs"] or {}
    return {state: count - trials.get(state, 0) for state, count in comparison["runs"].items()}


def phase_text(comparison: Comparison | ComparisonDetail) -> str:
    """Return what the search of a comparison does now: "searching, 31 of 48 runs"; "" once it is
    over, and without one."""
    runs = comparison["trial_runs"]
    if comparison["state"] not in OPEN_STATES or comparison["phase"] != "search" or not runs:
        return ""
    done = sum(runs[state] for state in ENDED)
    return f"searching, {done} of {sum(runs.values())} runs"


def search_text(comparison: ComparisonDetail) -> str:
    """Return how far the search of a comparison is: "31 of 48 trials", or "124 of 192 runs of 48
    trials" where a trial has several runs."""
    tuning = comparison["spec"]["tuning"]
    trials = int(tuning["trials"]) * len(comparison["arms"])
    each = int(tuning["folds"]) * len(tuning["trial_seeds"])
    runs = comparison["trial_runs"] or {}
    done = sum(runs.get(state, 0) for state in ENDED)
    if each == 1:
        return f"{done} of {count_text(trials, 'trial')}"
    return f"{done} of {trials * each:,} runs of {count_text(trials, 'trial')}"


def trials_text(found: Tuning) -> str:
    """Return how far a search is: "31 of 48 trials"."""
    total = int(found["tuning"]["trials"]) * len(found["arms"])
    done = sum(counted(arm, *OVER) for arm in found["arms"])
    return f"{done} of {count_text(total, 'trial')}"


def budget_text(found: Tuning, metrics: Sequence[Mapping[str, Any]]) -> str:
    """Return in a sentence how the arms were searched.

    Args:
        found: the search.
        metrics: the catalogue's rows.
    """
    tuning = found["tuning"]
    sampler = "random draws" if tuning["sampler"] == "random" else "TPE"
    parts = [f"{count_text(tuning['trials'], 'trial')} for every arm", sampler]
    each = []
    if tuning["folds"] > 1:
        each.append(f"{tuning['folds']} folds")
    if len(tuning["trial_seeds"]) > 1:
        each.append(f"{len(tuning['trial_seeds'])} seeds")
    mean = f", mean over {' x '.join(each)}" if each else ""
    label = objective_label(found, metrics)
    return f"{', '.join(parts)}; judged by {label} on validation data alone{mean}."


def objective_label(found: Tuning, metrics: Sequence[Mapping[str, Any]]) -> str:
    """Return the label of the metric that decides."""
    key = found["tuning"]["objective"]
    return next((str(row["label"]) for row in metrics if row["key"] == key), str(key))


def is_lower_better(found: Tuning, metrics: Sequence[Mapping[str, Any]]) -> bool:
    """Return whether smaller values of the objective are better."""
    key = found["tuning"]["objective"]
    return any(row["key"] == key and row["better"] == "lower" for row in metrics)


def searched_paths(found: Tuning) -> list[str]:
    """Return the settings that an arm searches, in the order of the arms."""
    return list(dict.fromkeys(path for arm in found["arms"] for path in arm["space"]))


def setting_titles(found: Tuning, spec: Mapping[str, Any], catalogue: Catalogue) -> dict[str, str]:
    """Return a title for each searched setting, all different.

    Args:
        found: the search.
        spec: of the comparison.
        catalogue: the API's catalogue.
    """
    kinds = {arm["name"]: loss_kind(arm["loss"]) for arm in spec["arms"]}
    settings = catalogue["tuning"]["settings"]
    titles: dict[str, str] = {}
    for path in searched_paths(found):
        own = [
            str(row["title"])
            for arm in found["arms"]
            if path in arm["space"]
            for row in settings.get(kinds.get(arm["name"]), ())
            if row["path"] == path
        ]
        titles[path] = " / ".join(dict.fromkeys(own)) or path
    return {
        path: title if list(titles.values()).count(title) == 1 else f"{title} ({path})"
        for path, title in titles.items()
    }


def value_text(value: float | str | None) -> str:
    """Return a setting's value in few characters; a dash for none."""
    if value is None:
        return "–"
    if isinstance(value, str):
        return value.replace("_", " ")
    if isinstance(value, int) or abs(value) >= LARGE:
        return f"{value:.0f}"
    # Positional, as the form and the table of trials show it: 0.000001, not 1e-06.
    return f"{Decimal(f'{value:.3g}'):f}" if abs(value) >= SMALL else f"{value:.3g}"


def space_text(space: Mapping[str, Any]) -> str:
    """Return the values of a space: "0.02 to 2 (log)" or "2, 4, 8"."""
    if "choices" in space:
        return ", ".join(map(value_text, space["choices"]))
    log = " (log)" if space.get("log") else ""
    return f"{value_text(space['low'])} to {value_text(space['high'])}{log}"


def spaces_of(arm: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the spaces of an arm of a spec by path; none of an arm that is not tuned."""
    found: Mapping[str, Any] = arm.get("search") or {}
    return found


def searched_texts(arms: Sequence[Mapping[str, Any]], path: str) -> tuple[str, ...]:
    """Return the values of a setting that each arm of a spec is tuned over; "" for one that has
    the value as it is written."""
    return tuple(space_text(spaces_of(arm)[path]) if path in spaces_of(arm) else "" for arm in arms)


def searched_title(arms: Sequence[Mapping[str, Any]], path: str, catalogue: Catalogue) -> str:
    """Return what the catalogue calls a setting that arms of a spec are tuned over."""
    settings = catalogue.get("tuning", {}).get("settings", {})
    rows = (row for arm in arms for row in settings.get(loss_kind(arm["loss"]), ()))
    name = path.rpartition(".")[2].replace("_", " ")
    return next((str(row["title"]) for row in rows if row["path"] == path), name)


def params_text(params: Mapping[str, Any], titles: Mapping[str, str]) -> str:
    """Return the settings of a trial: "margin 0.42, learning rate 0.001"; those of the arm as it is
    written are none."""
    if not params:
        return "as written"
    return ", ".join(
        f"{titles.get(path, path).lower()} {value_text(value)}" for path, value in params.items()
    )


def number_or_dash(value: float | None) -> str:
    """Return a value of the objective; a dash for none."""
    return "–" if value is None else format_number(value)

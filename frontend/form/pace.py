"""How long the runs of the form take, where a comparison like it has run before."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import fmean
from typing import Any, Final

from frontend.api.client import Api
from frontend.api.types import ComparisonDetail, Run
from frontend.ui.text import duration

SECTIONS: Final = ("data", "encoder", "visual_encoder", "training", "measure")
"""Sections of a spec on which the time of a run depends."""
FINAL_TO_TRIAL: Final = 1.5
"""How long a run that measures everything takes, as a multiple of a trial's run, where only one of
them is known; the API forecasts with the same number."""


@dataclass(frozen=True)
class Pace:
    """How long the runs of a comparison took."""

    sections: Mapping[str, Any]
    """Of its spec, by name."""
    final_s: float
    """Mean seconds that a final run took of its slot; of runs that were trained together each has
    its share."""
    trial_s: float
    """The same of a trial's run."""


def read_pace(client: Api, comparison: ComparisonDetail) -> Pace | None:
    """Return the pace of a comparison; None where none of its runs has succeeded.

    Raises:
        ApiError: the API does not give its runs.
    """
    runs = client.runs(comparison["id"], role="all")
    final, trial = (_mean_s(runs, role) for role in ("final", "trial"))
    if final is None and trial is None:
        return None
    known = FINAL_TO_TRIAL * (trial or 0.0) if final is None else final
    sections = {name: comparison["spec"].get(name) for name in SECTIONS}
    return Pace(sections, known, known / FINAL_TO_TRIAL if trial is None else trial)


def time_text(pace: Pace, spec: Mapping[str, Any], trials: int, finals: int, slots: int) -> str:
    """Return how long a spec's runs take: "about 7 min on 2 slots"; "" where it is not known.

    Args:
        pace: of the comparison that the form was filled from.
        spec: that the form makes.
        trials: number of runs of trials.
        finals: number of final runs.
        slots: worker slots that are there.
    """
    if not slots or any(spec.get(name) != pace.sections[name] for name in SECTIONS):
        return ""
    seconds = 0.0
    for runs, each in ((trials, pace.trial_s), (finals, pace.final_s)):
        rounds = -(-runs // slots)
        seconds += rounds * each
    return f"about {duration(seconds)} on {slots} slot{'' if slots == 1 else 's'}"


def _mean_s(runs: Sequence[Run], role: str) -> float | None:
    known = [
        _seconds(run["started_at"], run["ended_at"]) / (run["shared"] or 1)
        for run in runs
        if run["role"] == role
        and run["state"] == "succeeded"
        and run["started_at"]
        and run["ended_at"]
    ]
    return fmean(known) if known else None


def _seconds(start: str | None, end: str | None) -> float:
    if start is None or end is None:
        return 0.0
    return (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()

"""How many runs a comparison that is tuned has, and how long they take."""

from collections.abc import Mapping, Sequence
from typing import Any

from frontend.form.tuning.values import ON, TRIAL_SEEDS
from frontend.ui.seeds import SeedsError, parse_seeds
from frontend.ui.text import count_text


def runs_text(values: Mapping[str, Any], arms: int, seeds: Sequence[int]) -> str:
    """Return how the number of runs comes about: "2 arms × 24 trials × 4 folds + 2 × 10 seeds =
    212 runs"; without a search "2 arms × 10 seeds = 20 runs".

    Args:
        values: of the form.
        arms: number of arms.
        seeds: of the final runs.
    """
    final = arms * len(seeds)
    if not values.get(ON):
        of_each = f"{count_text(arms, 'arm')} × {count_text(len(seeds), 'seed')}"
        return f"{of_each} = {count_text(final, 'run')}"
    factors = [count_text(arms, "arm"), count_text(values["tuning.trials"], "trial")]
    if (folds := values["tuning.folds"]) > 1:
        factors.append(count_text(folds, "fold"))
    if (trial_seeds := _trial_seeds(values)) > 1:
        factors.append(count_text(trial_seeds, "trial seed"))
    runs = trial_runs(values, arms) + final
    finals = f"{arms} × {count_text(len(seeds), 'seed')}"
    return f"{' × '.join(factors)} + {finals} = {count_text(runs, 'run')}"


def trial_runs(values: Mapping[str, Any], arms: int) -> int:
    """Return the number of runs of all trials; 0 without a search."""
    if not values.get(ON):
        return 0
    return int(arms * values["tuning.trials"] * values["tuning.folds"] * _trial_seeds(values))


def _trial_seeds(values: Mapping[str, Any]) -> int:
    """Return the number of seeds of each trial; 1 while they cannot be parsed."""
    try:
        return max(1, len(parse_seeds(values[TRIAL_SEEDS])))
    except SeedsError:
        return 1

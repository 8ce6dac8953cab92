"""A search as GET /comparisons/{id}/tuning tells it, with made-up values."""

from collections.abc import Mapping, Sequence
from typing import Any

MARGIN = {"low": 0.02, "high": 2.0, "log": True}
LR = {"low": 1e-4, "high": 1e-2, "log": True}


def search(
    phase: str = "done", arms: Sequence[Mapping[str, Any]] = (), **tuning: Any
) -> dict[str, Any]:
    """Return a search; by default of two arms with six trials each."""
    made = list(arms) or [
        searched("contrastive", [0.7, 0.6, 0.9, 0.8, None, 0.75]),
        searched("triplet", [0.8, 0.5, 0.7, 0.85, 0.65, 0.75]),
    ]
    section = {
        **{"trials": 6, "objective": "retrieval.map_at_r", "sampler": "random", "seed": 0},
        **{"round": 8, "folds": 1, "trial_seeds": [1000], "include_default": True},
    }
    return {"tuning": {**section, **tuning}, "phase": phase, "problem": None, "arms": made}


def searched(
    name: str, values: Sequence[float | None], *, waiting: int = 0, **changes: Any
) -> dict[str, Any]:
    """Return the search of an arm.

    Args:
        name: of the arm.
        values: of its trials, the first of which is the arm as it is written; None for a failed
            one.
        waiting: number of further trials.
        changes: of the answer.
    """
    known = {number: value for number, value in enumerate(values) if value is not None}
    best = max(known, key=known.__getitem__) if known else None
    states = ["failed" if value is None else "complete" for value in values]
    trials = [
        trial(name, number, state, value)
        for number, (state, value) in enumerate(
            zip([*states, *["waiting"] * waiting], [*values, *[None] * waiting], strict=True)
        )
    ]
    tops = [max(known.values(), default=0.0)] * max(0, len(known) - 1)
    return {
        "name": name,
        "space": {"loss.margin": MARGIN, "training.optimizer.lr": LR},
        "trials": trials,
        "best": best,
        "default": 0 if trials else None,
        "problem": None,
        "curve": [
            {"n": n, "value": top, "low": top - 0.1, "high": top} for n, top in enumerate(tops, 1)
        ],
        "importance": {"loss.margin": 0.75, "training.optimizer.lr": 0.25} if known else None,
        "near_best": 1 / len(known) if known else None,
        "spent_s": 12.0 * len(values),
        **changes,
    }


def trial(arm: str, number: int, state: str, value: float | None) -> dict[str, Any]:
    """Return a trial with one run."""
    params = {"loss.margin": 0.1 * number, "training.optimizer.lr": 0.001 * number}
    runs = {"waiting": "queued", "complete": "succeeded"}
    return {
        "number": number,
        "params": params if number else {},
        "state": state,
        "value": value,
        "epochs": None if value is None else 3 + number,
        "runs": [
            {
                **{"id": f"r{arm}{number}", "seed": 1000, "fold": None, "value": value},
                **{"state": runs.get(state, state), "best_epoch": value and 3 + number},
            }
        ],
    }

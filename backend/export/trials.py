"""The trials of a comparison that is tuned, as a table."""

from collections.abc import Mapping
from typing import Any, Final

from sqlmodel import Session, col, select

from backend.db.models import Comparison, Trial
from backend.export.table import Kind, Row, Table
from backend.http.times import iso
from backend.tuning.answers import trial_state
from backend.tuning.repository import runs_of
from contract.comparison.tuning import value_at

_COLUMNS: Final[dict[str, Kind]] = {
    "comparison": "text",
    "arm": "text",
    "trial": "whole",
    "state": "text",
    "value": "number",
    "epochs": "whole",
    "created_at": "text",
    "ended_at": "text",
}


def trials_table(session: Session, comparison: Comparison) -> Table:
    """Return a row for each trial, arm by arm, with a column for each setting that an arm searches.

    Where a trial does not name a setting, as the one that is the arm as written, the column has the
    arm's own value; it is empty for an arm without that setting.
    """
    order = {arm["name"]: at for at, arm in enumerate(comparison.spec["arms"])}
    found = session.exec(
        select(Trial).where(Trial.comparison_id == comparison.id).order_by(col(Trial.number))
    ).all()
    trials = sorted(found, key=lambda trial: order.get(trial.arm, len(order)))
    arms = {arm["name"]: _settings(comparison.spec, arm) for arm in comparison.spec["arms"]}
    searched = (path for arm in comparison.spec["arms"] for path in arm.get("search") or ())
    paths = list(dict.fromkeys([*searched, *(path for one in trials for path in one.params)]))
    runs = runs_of(session, [trial.id for trial in trials])
    settings = [[_setting(trial, arms, path) for path in paths] for trial in trials]
    kinds = [_kind([row[at] for row in settings]) for at in range(len(paths))]
    rows = [
        (*_trial(trial, trial_state(trial, runs[trial.id])), *map(_cell, own, kinds))
        for trial, own in zip(trials, settings, strict=True)
    ]
    return Table({**_COLUMNS, **dict(zip(paths, kinds, strict=True))}, iter([rows]))


def _trial(trial: Trial, state: str) -> Row:
    return (
        *(trial.comparison_id, trial.arm, trial.number, state, trial.value, trial.epochs),
        iso(trial.created_at),
        None if trial.ended_at is None else iso(trial.ended_at),
    )


def _settings(spec: Mapping[str, Any], arm: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of an arm as it is written."""
    own = {name: value for name, value in arm["training"].items() if value is not None}
    return {"loss": arm["loss"], "training": {**spec["training"], **own}}


def _setting(trial: Trial, arms: Mapping[str, dict[str, Any]], path: str) -> Any:
    if path in trial.params:
        return trial.params[path]
    try:
        return value_at(arms.get(trial.arm, {}), path)
    except (KeyError, TypeError):
        return None


def _kind(values: list[Any]) -> Kind:
    """Return the kind of a column: of numbers, unless one of its values is something else."""
    return "number" if all(value is None or _is_number(value) for value in values) else "text"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _cell(value: Any, kind: Kind) -> Any:
    if value is None:
        return None
    return float(value) if kind == "number" else str(value)

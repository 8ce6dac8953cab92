"""The trials of the arms of comparisons that are tuned, as counts."""

from collections import defaultdict
from collections.abc import Collection

from sqlalchemy import func
from sqlalchemy import select as columns
from sqlmodel import Session, col

from backend.db.models import Run, Trial
from backend.runs.progress import Counted, Tally


def count_trials(session: Session, ids: Collection[str]) -> dict[tuple[str, str], Counted]:
    """Return the trials of these comparisons, by comparison and arm."""
    if not ids:
        return {}
    found: defaultdict[tuple[str, str], Counted] = defaultdict(Counted)
    connection = session.connection()
    of_run = (col(Run.comparison_id), col(Run.arm), col(Run.state))
    of_trials = columns(*of_run, func.count()).where(
        col(Run.comparison_id).in_(ids), col(Run.role) == "trial"
    )
    for comparison, arm, state, runs in connection.execute(of_trials.group_by(*of_run)):
        found[comparison, arm].trial[state] = Tally(runs=runs)
    of_trial = (col(Trial.comparison_id), col(Trial.arm), col(Trial.state))
    states = columns(*of_trial, func.count()).where(col(Trial.comparison_id).in_(ids))
    for comparison, arm, state, trials in connection.execute(states.group_by(*of_trial)):
        found[comparison, arm].trials[state] = trials
    return dict(found)

"""States of runs whose workers told none: from scripted curves, stored with their figures."""

from typing import Any

import pytest

from backend.db.database import Database
from backend.db.models import Run
from backend.maintenance.run_figures import keep_figures
from backend.runs import repository as runs
from tests.backend.scripted_runs import PAIR, Curves, per_epoch, scripted_comparison

INTRA = "geometry.intra_class_variance.scale_free"
INTER = "geometry.inter_class_variance.scale_free"


def geometry(before: float, after: float) -> dict[str, Any]:
    return {
        INTRA: {0: before, 50: after, 100: after},
        INTER: {0: before, 50: after, 100: after},
        "geometry.mean_norm": {0: 1.0, 100: 1.0},
    }


def told(database: Database, curves: Curves, arm: str = "rank", **changes: Any) -> list[Any]:
    """Return (state, step) of a run with these curves, once its figures are kept."""
    own = scripted_comparison(database, lambda *_: curves, arms=PAIR, seeds=[0], **changes)
    with database.read() as session:
        [run] = [one for one in runs.of_comparison(session, own) if one.arm == arm]
    keep_figures(database, run.id)
    with database.read() as session:
        return [(one["state"], one["step"]) for one in session.get_one(Run, run.id).states]


SCORES = {"retrieval.map_at_r": {0: 0.3, 50: 0.5, 100: 0.6}}


@pytest.mark.parametrize(
    ("curves", "states"),
    [
        (SCORES, []),
        ({"dynamics.invalid_steps": {50: 50, 100: 100}}, [("no_valid_tuple", 10)]),
        ({"dynamics.invalid_steps": {50: 50, 100: 99}}, []),
        (
            {"retrieval.map_at_r": {0: 0.3, 50: 0.2, 60: 0.35, 70: 0.2, 100: 0.1}},
            [("below_untrained", 70)],
        ),
        ({"retrieval.map_at_r": {0: 0.3, 50: 0.2, 100: 0.295}}, [("below_untrained", 50)]),
        ({"retrieval.map_at_r": {0: 0.3, 50: 0.295, 100: 0.295}}, []),
        ({**SCORES, "backbone.retrieval.map_at_r": {0: 0.7}}, [("below_backbone", 50)]),
        (
            {"dynamics.loss": per_epoch(1.0, *[1.0] * 10), **geometry(0.5, 0.01)},
            [("collapsed", 100)],
        ),
        ({"dynamics.loss": per_epoch(1.0, *[0.5] * 10), **geometry(0.5, 0.01)}, []),
        ({"dynamics.loss": per_epoch(1.0, *[1.0] * 10), **geometry(0.5, 0.4)}, []),
    ],
)
def test_states_of_earlier_runs(
    database: Database, curves: dict[str, Any], states: list[tuple[str, int]]
) -> None:
    assert told(database, {**SCORES, **curves}) == states


def test_only_a_triplet_losss_collapse_follows_from_what_was_stored(database: Database) -> None:
    curves = {"dynamics.loss": per_epoch(1.0, *[1.0] * 10), **geometry(0.5, 0.01)}
    assert told(database, curves, arm="pull") == []


def test_what_a_worker_has_told_stays(database: Database) -> None:
    worse = {"retrieval.map_at_r": {0: 0.3, 50: 0.2, 100: 0.1}}
    own = scripted_comparison(database, lambda *_: worse, arms=PAIR, seeds=[0])
    with database.write() as write:
        first, second = runs.of_comparison(write.session, own)
        first.versions = {"engine": "1"}
        second.states = [{"state": "collapsed", "step": 3, "message": "m"}]
        write.session.add(first)
        write.session.add(second)
    for run in (first, second):
        keep_figures(database, run.id)
    with database.read() as session:
        found = [[one["state"] for one in run.states] for run in runs.of_comparison(session, own)]
    assert found == [[], ["collapsed"]]

"""What a slot gets with a run: the stored spec, or one with the settings of a trial."""

from typing import Any

from backend.comparisons import repository as comparisons
from backend.db.database import Database
from backend.db.models import Trial
from backend.state import Parts
from backend.workers import claims
from contract.comparison.spec import ComparisonSpec
from contract.tuning.specs import final_spec, trial_spec
from tests.backend.helpers import Api, run_now, submit
from tests.support.tuned import store_tuned


def claim(database: Database) -> claims.ClaimedRun | None:
    with database.write() as write:
        given = claims.claim(write, worker="w", device="cpu", now=1001.0)
    return given[0] if given else None


def test_without_a_tuning_it_is_the_stored_spec_as_it_is(database: Database) -> None:
    comparison = submit(database)
    with database.write() as write:
        stored = {**comparison.spec, "of_another_version": 1}
        comparisons.get(write.session, comparison.id).spec = stored
    given = claim(database)
    assert given is not None
    assert given.spec == stored


def test_the_run_of_a_trial_gets_its_settings_and_its_fold(api: Api, parts: Parts) -> None:
    made = store_tuned(parts.database, {"pull": ["waiting", "waiting"], "rank": ["waiting"] * 2})
    given = [api.claim() for _ in made.trial_runs]
    asked: list[tuple[str, int, Any]] = []
    for one, run in zip(given, made.trial_runs, strict=True):
        assert one is not None
        assert (one["run"], one["seed"], one["arm"]) == (run.id, 1000, run.arm)
        spec = ComparisonSpec.model_validate(one["spec"])
        assert spec.trial is not None
        assert spec.trial.fold is not None
        assert (spec.tuning, spec.seeds, len(spec.arms)) == (None, [1000], 1)
        asked.append((run.arm, spec.trial.fold.number, one["spec"]["arms"][0]["loss"]["margin"]))
        assert spec == trial_spec(
            made.spec, run.arm, {"loss.margin": 0.2} if run.trial_number else {}, run.fold
        )
    assert asked == [
        (arm, fold, margin)
        for margin in (1.0, 0.2)  # trial by trial, arms side by side
        for arm in ("pull", "rank")
        for fold in (0, 1)
    ]


def test_a_final_run_gets_the_best_setting_and_stops_at_its_epoch(database: Database) -> None:
    done = {"pull": ["failed", "complete"], "rank": ["complete", "complete"]}
    queued = ["queued", "queued"]
    made = store_tuned(database, done, {"pull": queued, "rank": queued})
    for run in made.finals:
        given = claim(database)
        assert given is not None
        assert given.run.id == run.id
        best = {"pull": {"loss.margin": 0.2}, "rank": {}}[run.arm]
        epochs = {"pull": 5, "rank": 4}[run.arm]
        assert given.spec == final_spec(made.spec, run.arm, best, epochs=epochs).model_dump(
            mode="json"
        )
        assert given.spec["trial"] is None
        assert given.spec["arms"][0]["training"]["epochs"] == epochs
    assert claim(database) is None


def test_without_folds_a_final_run_has_all_epochs(database: Database) -> None:
    made = store_tuned(
        database, {"pull": ["complete"]}, {"pull": ["queued"] * 2}, tuning={"folds": 1}
    )
    given = claim(database)
    assert given is not None
    assert given.spec["arms"][0]["training"]["epochs"] is None
    assert given.spec["training"]["epochs"] == made.spec.training.epochs


def test_a_run_whose_spec_cannot_be_made_fails_and_blocks_no_other(database: Database) -> None:
    """By settings that do not fit together, and by a spec of another version."""
    settings: dict[str, list[dict[str, Any]]] = {
        "pull": [{"loss.margin": "wide"}, {"training.sampler.m": 2}]
    }
    made = store_tuned(
        database, {"pull": ["waiting", "waiting"]}, params=settings, tuning={"folds": 1}
    )
    other = store_tuned(database, {"rank": ["waiting"]}, now=1001.0)
    after = submit(database)  # at 1000
    with database.write() as write:
        stored = comparisons.get(write.session, other.id)
        stored.spec = {**stored.spec, "encoder": {"kind": "of_another_version"}}
    given = claim(database)
    assert given is not None
    assert given.run.comparison_id == after.id
    assert claim(database) is None
    lost = [run_now(database, run.id) for run in (*made.runs, *other.runs)]
    assert [run.state for run in lost] == ["failed"] * 4
    said = [run.error["message"] if run.error else "" for run in lost]
    assert "arms[0].loss.margin" in said[0] or "loss.margin" in said[0]
    assert "encoder" in said[-1]
    assert all(one.startswith("the spec of this run cannot be read: ") for one in said)


def test_a_run_without_its_trial_fails(database: Database) -> None:
    made = store_tuned(database, {"pull": ["waiting"]})
    with database.write() as write:
        write.session.delete(write.session.get_one(Trial, made.trials[0].id))
    assert claim(database) is None
    error = run_now(database, made.runs[0].id).error
    assert error is not None
    assert "is not in the database" in error["message"]

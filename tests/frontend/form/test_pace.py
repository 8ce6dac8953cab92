"""How long the runs of a form take, from those of the comparison that it was filled from."""

from typing import Any, cast

import pytest

from contract.comparison.spec import parse_spec
from frontend.api.client import Api
from frontend.form.pace import Pace, read_pace, time_text
from frontend.form.to_spec import write_spec
from tests.support.form_fields import FORM, filled
from tests.support.specs import small

STORED: Any = parse_spec(small(tuning={})).model_dump(mode="json")


class Runs:
    """A client that knows the runs of one comparison."""

    def __init__(self, *runs: dict[str, Any]) -> None:
        self.found = list(runs)

    def runs(self, comparison: str, *, role: str) -> list[dict[str, Any]]:
        assert (comparison, role) == ("c1", "all")
        return self.found


def run(
    role: str, seconds: int, state: str = "succeeded", shared: int | None = None
) -> dict[str, Any]:
    times = {"started_at": "2026-01-01T00:00:00Z", "ended_at": f"2026-01-01T00:00:{seconds:02}Z"}
    return {"role": role, "state": state, "shared": shared, **times}


def pace(*runs: dict[str, Any]) -> Pace | None:
    comparison: Any = {"id": "c1", "spec": STORED}
    return read_pace(cast(Api, Runs(*runs)), comparison)


def test_trials_and_final_runs_have_their_own_times() -> None:
    found = pace(run("trial", 2), run("trial", 4), run("final", 9), run("final", 50, "failed"))
    assert found is not None
    assert (found.trial_s, found.final_s) == (3.0, 9.0)


def test_runs_that_were_trained_together_share_the_time_of_their_slot() -> None:
    found = pace(*(run("trial", 24, shared=12) for _ in range(12)), run("final", 9))
    assert found is not None
    assert (found.trial_s, found.final_s) == (2.0, 9.0)


def test_the_time_that_is_missing_follows_from_the_other() -> None:
    trials, finals = pace(run("trial", 4)), pace(run("final", 6))
    assert trials is not None
    assert finals is not None
    assert (trials.final_s, finals.trial_s) == (6.0, 4.0)
    assert pace(run("final", 3, "failed")) is None


def test_it_is_said_on_how_many_slots_and_only_where_the_runs_are_alike() -> None:
    found = pace(run("trial", 2), run("final", 9))
    assert found is not None
    spec = write_spec(filled(STORED), FORM)
    assert time_text(found, spec, 48, 20, 2) == "about 2 min on 2 slots"
    assert time_text(found, spec, 0, 3, 1) == "about 27 s on 1 slot"
    assert time_text(found, spec, 48, 20, 0) == ""
    longer = write_spec({**filled(STORED), "training.epochs": 99}, FORM)
    assert time_text(found, longer, 48, 20, 2) == ""


@pytest.mark.parametrize("spec", [small(), small(encoder={"kind": "convnet"})])
def test_a_stored_spec_that_goes_through_the_form_is_alike(spec: Any) -> None:
    stored = parse_spec(spec).model_dump(mode="json")
    found = Pace({name: stored.get(name) for name in ("data", "encoder", "training")}, 1.0, 1.0)
    written = write_spec(filled(stored), FORM)
    assert {name: written.get(name) for name in found.sections} == dict(found.sections)

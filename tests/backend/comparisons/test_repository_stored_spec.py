"""A comparison whose spec this version cannot read: an error says so, and all else still works."""

from copy import deepcopy

import pytest

from backend.db.models import Comparison
from backend.state import Parts
from tests.backend.helpers import Api
from tests.backend.scripted_runs import per_epoch, scripted_comparison


@pytest.fixture
def both(parts: Parts) -> tuple[str, str]:
    """A comparison with a loss that no version knows, and a valid one."""
    curves = {"retrieval.map_at_r": per_epoch(0.2, 0.5)}
    made = [
        scripted_comparison(parts.database, lambda _arm, _seed: curves, seeds=[0]) for _ in range(2)
    ]
    with parts.database.write() as write:
        old = write.session.get_one(Comparison, made[0])
        spec = deepcopy(old.spec)
        spec["arms"][1]["loss"] = {"kind": "lifted", "margin": 1.0}
        old.spec = spec
        write.session.add(old)
    return made[0], made[1]


@pytest.mark.parametrize("what", ["summary", "verdict", "export?format=json&what=all"])
def test_what_needs_the_spec_answers_why_it_cannot_be_read(
    api: Api, both: tuple[str, str], what: str
) -> None:
    answer = api.http.get(f"/api/v1/comparisons/{both[0]}/{what}")
    assert answer.status_code == 409
    problem = answer.json()
    assert problem["error"] == "conflict"
    assert "another version" in problem["message"]
    assert [field["path"] for field in problem["fields"]] == ["arms[1].loss"]


def test_everything_else_can_still_be_read(api: Api, both: tuple[str, str]) -> None:
    old, valid = both
    assert api.get(f"/comparisons/{old}")["spec"]["arms"][1]["loss"]["kind"] == "lifted"
    assert len(api.get(f"/comparisons/{old}/runs")["runs"]) == 2
    listed = api.get("/arms")["arms"]
    settings = {(arm["comparison"], arm["arm"]): arm["settings"] for arm in listed}
    assert len(settings) == 4
    assert [bool(of_arm) for (comparison, _), of_arm in settings.items() if comparison == old] == [
        False,
        False,
    ]
    assert all(of_arm for (comparison, _), of_arm in settings.items() if comparison == valid)

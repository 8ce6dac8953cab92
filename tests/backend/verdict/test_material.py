"""What is read of a comparison's runs, and which shares of the weight that pulls differ."""

import pytest

from backend.db.models import Comparison
from backend.state import Parts
from backend.verdict.material import Material, differing_shares, read_material
from tests.backend.scripted_runs import Curves, per_epoch, scripted_comparison


def read(parts: Parts, comparison: str) -> Material:
    with parts.database.read() as session:
        found = session.get(Comparison, comparison)
        assert found is not None
        return read_material(session, found)


def test_shares_that_hardly_differ_are_none() -> None:
    assert differing_shares({"c": [0.011, 0.013], "t": [0.5]}) == pytest.approx(
        {"c": 0.012, "t": 0.5}
    )
    assert differing_shares({"c": [0.496], "t": [0.5]}) == {}
    assert differing_shares({"c": [0.1], "t": []}) == {}
    assert differing_shares({}) == {}


def test_figures_of_runs_that_have_succeeded_by_arm_and_seed(parts: Parts) -> None:
    def curves(arm: str, seed: int) -> Curves:
        share = 0.5 if arm == "rank" else 0.1
        return {"dynamics.pull_share": per_epoch(None, *[share] * 10, swing=0)}

    states = {("pull", 5): "failed", ("rank", 3): "running"}
    found = read(parts, scripted_comparison(parts.database, curves, seeds=[5, 3], states=states))
    assert {arm: list(own) for arm, own in found.figures.items()} == {"pull": [3], "rank": [5]}
    assert found.pull_shares == pytest.approx({"pull": 0.1, "rank": 0.5})
    one = found.only("rank")
    assert [(run.arm, run.seed) for run in one.runs] == [("rank", 5), ("rank", 3)]
    assert (one.arms, list(one.figures), one.pull_shares) == (("rank",), ["rank"], {})

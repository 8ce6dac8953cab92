"""The leaderboard over HTTP, from stored points."""

from typing import Any

from backend.state import Parts
from tests.backend.helpers import Api, Json
from tests.backend.scripted_runs import Curves, scripted_comparison

MAP = "test.retrieval.map_at_r"
SEEDS = [0, 1, 2, 3, 4, 5]
JITTER = (0.0, 0.004, -0.003, 0.002, -0.001, 0.003)
LEVELS = {"a": 0.80, "b": 0.79, "c": 0.60, "d": 0.595}
"""Mean by arm: a and b differ by less than their differences vary, c and d too."""
ARMS = [{"name": name, "loss": {"kind": "triplet"}} for name in LEVELS]


def curves(arm: str, seed: int) -> Curves:
    own = JITTER[(seed + "abcd".index(arm)) % 6] + (0.03 * (-1) ** seed if arm in "bd" else 0.0)
    return {
        MAP: {50: LEVELS[arm] + own},
        "retrieval.map_at_r": {0: 0.2, 50: 0.5},
        f"backbone.{MAP}": {0: 0.4},
        f"chance.{MAP}": {0: 0.1},
    }


def board(api: Api, comparison: str, **query: Any) -> Json:
    return api.get(f"/comparisons/{comparison}/leaderboard", **query)


def test_a_whole_leaderboard(api: Api, parts: Parts) -> None:
    found = board(api, scripted_comparison(parts.database, curves, arms=ARMS, seeds=SEEDS))
    [metric] = found["metrics"]
    assert metric["best"] == ["a"]
    assert metric["not_told_apart"] == [["a", "b"], ["c", "d"]]
    assert metric["groups"] == [["a", "b"], ["c", "d"]]
    assert metric["said"] == "Best: a; not told apart from b."
    assert [arm["rank"] for arm in metric["arms"]] == [[1, 2], [1, 2], [3, 4], [3, 4]]

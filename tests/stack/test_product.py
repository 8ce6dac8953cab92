"""A user types `make run`: all is ready, the demo trains, the results are compared."""

from functools import partial
from pathlib import Path

import pytest

from tests.support.specs import small
from tests.support.stack import PROCESSES, Stack, running_stack
from tests.support.waiting import still_alive, until

CURVES = {"dynamics.loss": 0, "dynamics.active_ratio": 0, "dynamics.gradient_norm": 1}
"""Key -> its first step: the untrained network has a loss, but no gradient."""


@pytest.mark.slow
def test_up_starts_the_demo_and_it_ends_with_a_table(tmp_path: Path) -> None:
    with running_stack(tmp_path / "data") as stack:
        for name in PROCESSES:
            until(partial(stack.processes, name), f"a {name}")
        [demo] = stack.get("/comparisons")["comparisons"]
        assert demo["arms"] == ["contrastive", "triplet"]
        assert demo["seeds"] == [0, 1, 2]

        runs = stack.wait_ended(demo["id"], timeout=150)
        assert [run["state"] for run in runs] == ["succeeded"] * 6
        for run in runs:
            for key, first in CURVES.items():
                steps, values = stack.series(run["id"], key)
                assert steps == list(range(first, run["total_steps"] + 1))
                assert all(value is not None for value in values)

        summary = stack.get(f"/comparisons/{demo['id']}/summary")
        metrics = {metric["key"]: metric for metric in summary["metrics"]}
        recall = metrics["retrieval.recall_at_1"]["arms"]
        assert [arm["arm"] for arm in recall] == ["contrastive", "triplet"]
        for arm in recall:
            assert arm["n"] == 3
            assert 0.9 < arm["mean"] <= 1
            assert arm["low"] <= arm["mean"] <= arm["high"]

        children = stack.launcher.children(recursive=True)
    assert still_alive(children, timeout=5) == []


@pytest.mark.slow
def test_a_comparison_with_fine_labels_gives_a_verdict_on_all_nine_claims(stack: Stack) -> None:
    comparison = stack.submit(
        {
            "name": "modes",
            "data": {"kind": "synthetic", "classes": 4, "per_class": 100, "dim": 16},
            "encoder": {"kind": "mlp", "hidden": 32, "layers": 1, "embedding_dim": 8},
            "training": {"epochs": 3, "batch_size": 40},
            "arms": [{"name": kind, "loss": {"kind": kind}} for kind in ("contrastive", "triplet")],
            "seeds": [0, 1, 2],
        }
    )
    assert {run["state"] for run in stack.wait_ended(comparison)} == {"succeeded"}
    verdict = stack.get(f"/comparisons/{comparison}/verdict")
    assert verdict["arms"] == {"a": "contrastive", "b": "triplet"}
    assert verdict["replicates"]["said"] == "3 seeds on one split"
    assert (verdict["seeds"], verdict["smallest_p"], verdict["family"]) == (3, 0.25, 9)
    assert [claim["id"] for claim in verdict["claims"]] == list(range(1, 10))
    for claim in verdict["claims"]:
        assert claim["verdict"] != "not_measured", claim
        assert claim["parts"]["judged"] == claim["parts"]["of"] == len(claim["evidence"])
        assert {row["n"] for row in claim["evidence"]} == {3}
    [late] = stack.get(f"/comparisons/{comparison}/verdict", a="triplet", b="contrastive")[
        "claims"
    ][5]["evidence"]
    assert late["mean_difference"] == -verdict["claims"][5]["mean_difference"]


@pytest.mark.slow
def test_stored_data_are_there_after_a_restart(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with running_stack(data, "--no-demo") as stack:
        comparison = stack.submit(small())
        [run] = stack.wait_ended(comparison)
        curve = stack.series(run["id"], "dynamics.loss")
    with running_stack(data) as again:
        assert again.get("/comparisons")["total"] == 1, "a demo is started only on an empty board"
        assert again.series(run["id"], "dynamics.loss") == curve


@pytest.mark.parametrize(
    ("path", "params", "status"),
    [
        ("/comparisons/c0000000000", {}, 404),
        ("/comparisons/c0000000000/live", {}, 404),
        ("/series", {"run": "r0000000000"}, 404),
        ("/nowhere", {}, 404),
        ("/comparisons", {"page": "0"}, 422),
    ],
)
def test_errors_have_one_shape(
    stack: Stack, path: str, params: dict[str, str], status: int
) -> None:
    for base in (stack.api_url, f"{stack.ui_url}/api/v1"):
        answer = stack.http.get(f"{base}{path}", params=params)
        assert answer.status_code == status
        body = answer.json()
        assert set(body) == {"error", "message", "fields"}
        assert body["message"]


def test_all_problems_of_a_spec_come_back_through_the_api(stack: Stack) -> None:
    before = stack.get("/comparisons")["total"]
    bad = small(
        arms=[{"name": "a", "loss": {"kind": "triplet", "margin": -1}}],
        seeds=list(range(10_000)),
        colour="red",
    )
    answer = stack.http.post("/comparisons", json=bad)
    assert answer.status_code == 422
    paths = {field["path"] for field in answer.json()["fields"]}
    assert paths == {"arms[0].loss.margin", "seeds", "colour"}
    assert stack.get("/comparisons")["total"] == before

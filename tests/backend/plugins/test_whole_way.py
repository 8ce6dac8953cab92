"""The whole way of losses from outside: a real slot checks and reports them, the API takes a
comparison that names them, the slot trains it, and every answer about it has its arms."""

from pathlib import Path
from typing import Any

import pytest

from backend.settings import Settings
from tests.backend.conftest import Serve
from tests.backend.helpers import TOKEN, Api
from tests.support.plugin_entries import arm
from tests.support.plugins import TRIPLETS, put
from tests.support.slot import worker_environment
from tests.support.trainers import TakenTrainers
from tests.support.waiting import until
from worker.settings import Settings as WorkerSettings
from worker.slot.slot import Slot

WAIT_S = 300.0
ARMS = [
    {"name": "ours", "loss": {"kind": "triplet", "margin": 0.5}},
    arm("listed_triplet", params={"margin": 0.5}),
    {**arm("pml.MultiSimilarityLoss"), "name": "MultiSimilarityLoss (pml)"},
    {**arm("pml.ProxyAnchorLoss"), "name": "proxies"},
    arm("plain_triplet"),
]


def ended(api: Api, comparison: str) -> bool:
    return api.get(f"/comparisons/{comparison}")["state"] not in {"queued", "running"}


@pytest.mark.slow
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_plugins_are_reported_submitted_trained_tuned_and_judged(
    serve: Serve, settings: Settings, tmp_path: Path
) -> None:
    put(tmp_path / "losses", "triplets", TRIPLETS)
    with serve(settings) as (api, _):
        url = str(api.http.base_url).rstrip("/")
        worker = WorkerSettings(
            broker_url=settings.redis_url,
            api_url=url,
            token=TOKEN,
            name="w1",
            losses=("pml", str(tmp_path / "losses")),
        )
        trainers = TakenTrainers.of_this_system(worker_environment(settings.redis_url, url))
        slot = Slot(worker, trainers)
        slot.open()
        try:
            assert slot.plugins.ready.wait(WAIT_S)
            rows = {row["kind"]: row for row in api.get("/catalogue")["losses"]}
            assert rows["pml.MultiSimilarityLoss"]["label"] == "MultiSimilarityLoss (pml)"
            assert len(rows) == 8 + 3 + 33
            training = {"epochs": 2, "batch_size": 64}
            made = api.submit(arms=ARMS, seeds=[0, 1, 2], training=training)
            spaces: dict[str, Any] = {"trials": 2, "sampler": "random"}
            searched = api.submit(
                arms=[ARMS[2], ARMS[0]], seeds=[0], training=training, tuning=spaces
            )

            def trained() -> bool:
                slot.work()
                return ended(api, made) and ended(api, searched)

            until(trained, "the ends of both", timeout=WAIT_S)
        finally:
            slot.close()
        check_answers(api, made)
        found = api.get(f"/comparisons/{searched}")
        assert found["state"] == "succeeded"
        tuned = api.get(f"/comparisons/{searched}/tuning")
        assert "loss.params.alpha" in {path for one in tuned["arms"] for path in one["space"]}


def check_answers(api: Api, made: str) -> None:
    """Check that every answer has the arms with plug-ins like the others."""
    names = [one["name"] for one in ARMS]
    detail = api.get(f"/comparisons/{made}")
    assert (detail["state"], detail["arms"]) == ("succeeded", names)
    found = {run["arm"]: run for run in api.get(f"/comparisons/{made}/runs")["runs"]}
    assert found["ours"]["loss_digest"] is None
    assert all(found[name]["loss_digest"] for name in names[1:])
    board = api.get(f"/comparisons/{made}/leaderboard")
    main = next(one for one in board["metrics"] if one["key"] == "test.retrieval.map_at_r")
    assert {one["arm"] for one in main["arms"]} == set(names)
    summary = api.get(f"/comparisons/{made}/summary")
    assert summary
    said = api.get(f"/comparisons/{made}/verdict", a="ours", b="listed_triplet")
    assert any("is a plug-in" in one for one in said["caveats"])
    plain = api.get(f"/comparisons/{made}/verdict", a="ours", b="plain_triplet")
    words = {claim["id"]: claim for claim in plain["claims"]}
    assert words
    listed = api.get("/arms")["arms"]
    arms = {one["arm"]: one for one in listed if one["comparison"] == made}
    assert arms["MultiSimilarityLoss (pml)"]["loss"] == "pml.MultiSimilarityLoss"
    for what in ("runs", "results", "leaderboard", "trials"):
        answer = api.http.get(
            f"/api/v1/comparisons/{made}/export", params={"format": "csv", "what": what}
        )
        assert answer.status_code == 200, answer.text
    spec = api.get(f"/comparisons/{made}/export", format="json", what="spec")
    assert spec["arms"][2]["loss"]["params"]["alpha"] == 2.0
    again = api.http.post("/api/v1/comparisons", json=spec)
    assert again.status_code == 201, again.text

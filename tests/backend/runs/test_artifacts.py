"""What runs keep of their models: of a whole backbone the best seed's weights, and how rows go."""

import time

import pytest
from sqlmodel import select

from backend.db.database import Database
from backend.db.models import Run
from backend.runs import snapshots
from backend.state import Parts
from backend.storage.blobs import GRACE_PERIOD_S
from contract.events import Artifact, Failure
from tests.backend.helpers import Api, Attempt, claim, submit
from tests.backend.scripted_runs import scripted_comparison, store_events
from tests.backend.worker_requests import on_disk
from tests.support.stored_models import parts_of, store_models, store_part

SCORES = {0: 0.5, 1: 0.8, 2: 0.8, 3: None}


def unmeasured(arm: str, seed: int) -> dict[str, dict[int, float | None]]:
    return {}


def runs_of_arm(database: Database, comparison: str, arm: str) -> dict[int, Run]:
    with database.read() as session:
        rows = session.exec(select(Run).where(Run.comparison_id == comparison, Run.arm == arm))
        return {run.seed: run for run in rows.all()}


@pytest.mark.both_databases
@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 2, 1, 0)])
def test_of_a_whole_backbone_only_the_best_seed_keeps_its_weights(
    database: Database, order: tuple[int, ...]
) -> None:
    comparison = scripted_comparison(database, unmeasured, seeds=list(SCORES))
    runs, others = (runs_of_arm(database, comparison, arm) for arm in ("pull", "rank"))
    store_part(database, others[0], "weights", "a" * 64, whole_backbone=True, score=0.1)
    for seed in order:
        digest = f"{seed}" * 64
        store_part(database, runs[seed], "weights", digest, whole_backbone=True, score=SCORES[seed])
        store_part(database, runs[seed], "embeddings", f"{seed + 4}" * 64)
    kept = {run: digest for run, digest in parts_of(database).items() if digest}
    assert kept == {runs[1].id: "1" * 64, others[0].id: "a" * 64}
    assert len([one for one in parts_of(database, "embeddings").values() if one]) == 4


def test_small_networks_of_all_seeds_keep_their_weights(database: Database) -> None:
    comparison = scripted_comparison(database, unmeasured, seeds=[0, 1])
    for seed, run in runs_of_arm(database, comparison, "pull").items():
        store_part(database, run, "weights", f"{seed}" * 64, score=float(seed))
    assert all(parts_of(database).values())


def test_whole_backbones_of_all_seeds_stay_where_the_setting_says_all(database: Database) -> None:
    comparison = scripted_comparison(database, unmeasured, seeds=[0, 1])
    for seed, run in runs_of_arm(database, comparison, "pull").items():
        facts = {"whole_backbone": True, "keep": "all", "score": float(seed)}
        store_part(database, run, "weights", f"{seed}" * 64, **facts)
    assert all(parts_of(database).values())


@pytest.mark.both_databases
def test_an_event_stores_a_part_and_a_new_attempt_deletes_it(database: Database) -> None:
    submit(database)
    run = claim(database)
    assert run is not None
    attempt = Attempt(run.id)
    kept = Artifact(kind="weights", digest="b" * 64, size=2**40, problem="nul \0 here")
    store_events(database, attempt.started(), attempt.artifact(kept))
    assert parts_of(database) == {run.id: "b" * 64}
    store_events(database, attempt.lost())
    assert parts_of(database) == {}


@pytest.mark.both_databases
def test_weights_are_dropped_for_those_of_a_run_that_has_succeeded_and_for_no_others(
    database: Database,
) -> None:
    submit(database, seeds=[0, 1, 2])
    runs = [run for _ in range(3) if (run := claim(database)) is not None]
    attempts = [Attempt(run.id) for run in runs]

    def keep(at: int, score: float) -> None:
        facts = {"encoder": "mlp", "parameters": 1, "step": 1, "whole_backbone": True}
        own = Artifact(kind="weights", digest=f"{at}" * 64, size=1, facts={**facts, "score": score})
        store_events(database, attempts[at].started(), attempts[at].artifact(own))

    keep(0, 0.5)
    store_events(database, attempts[0].ended())
    keep(1, 0.9)
    keep(2, 0.8)
    assert all(parts_of(database).values()), "only one of them has succeeded yet"
    store_events(database, attempts[1].ended("failed", Failure(message="m", step=1)))
    assert parts_of(database) == {runs[0].id: "0" * 64, runs[2].id: "2" * 64}
    store_events(database, attempts[2].ended())
    assert parts_of(database) == {runs[0].id: None, runs[2].id: "2" * 64}


def test_deleting_a_comparison_frees_its_models_and_its_size_says_so(
    api: Api, parts: Parts
) -> None:
    comparison = scripted_comparison(parts.database, unmeasured, seeds=[0])
    store_models(parts.database, parts.blobs, comparison)
    freed = sum(on_disk(parts.blobs).values())
    assert api.get(f"/comparisons/{comparison}/size")["bytes"] == freed > 0
    assert api.http.delete(f"/api/v1/comparisons/{comparison}").status_code == 204
    assert on_disk(parts.blobs) == {}


def test_weights_that_a_better_seed_replaced_are_swept_and_the_kept_ones_stay(
    parts: Parts,
) -> None:
    comparison = scripted_comparison(parts.database, unmeasured, seeds=[0, 1])
    runs = runs_of_arm(parts.database, comparison, "pull")
    digests = {seed: parts.blobs.put(f"weights {seed}".encode()) for seed in runs}
    for seed, run in runs.items():
        score = float(seed)
        store_part(parts.database, run, "weights", digests[seed], whole_backbone=True, score=score)
    later = time.time() + GRACE_PERIOD_S + 1
    assert snapshots.delete_all_unused_blobs(parts.database, parts.blobs, later) > 0
    assert on_disk(parts.blobs).keys() == {digests[1]}


def test_a_claim_says_what_to_keep(api: Api) -> None:
    api.submit()
    claimed = api.claim()
    assert claimed is not None
    assert claimed["keep"] == {"weights": "best", "limit_bytes": 512_000_000}

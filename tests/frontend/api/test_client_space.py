"""The client's calls for snapshots, against the real API with real snapshots."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from backend.app import create_app
from backend.db.database import Database
from backend.db.migrations import upgrade
from backend.settings import Settings
from backend.storage.blobs import BLOBS_FOLDER, Blobs
from frontend.api.client import Api
from frontend.errors import MissingError
from tests.support.serving import serving
from tests.support.snapshots import fill


@pytest.fixture
def filled(tmp_path: Path, broker_url: str) -> Iterator[tuple[Api, str]]:
    """The client, and a comparison of two arms with epochs 0 and 1 of one seed."""
    url = f"sqlite:///{tmp_path / 'lossboard.sqlite'}"
    database, blobs = Database(url), Blobs(tmp_path / BLOBS_FOLDER)
    upgrade(database)
    blobs.open()
    own = fill(database, blobs, seeds=1, epochs=1, samples=30)
    database.close()
    app = create_app(Settings(tmp_path, url, broker_url, "secret"))
    with serving(app) as address, httpx.Client(base_url=address, timeout=60) as http:
        yield Api(http), own


def test_answers_about_snapshots(filled: tuple[Api, str]) -> None:
    api, own = filled
    space = api.space(own)
    assert space["seeds"] == [0]
    assert space["samples"] is not None
    assert space["samples"]["n"] == 30
    assert [run["epochs"] for run in space["runs"]] == [[0, 1], [0, 1]]

    facts = api.space_facts(own, seed=0, epoch=1)
    assert [len(arm["correct"]) for arm in facts["arms"]] == [30, 30]
    near = api.neighbours(own, seed=0, epoch=1, sample=29, k=4)
    assert [len(arm["neighbours"]) for arm in near["arms"]] == [4, 4]
    assert [arm["epochs"] for arm in api.distances(own, seed=0)["arms"]] == [[0, 1], [0, 1]]

    ready = api.projection(own, seed=0, dims=3)
    assert (ready["state"], ready["method"], ready["dims"]) == ("ready", "pca", 3)
    assert api.projection(own, seed=0, method="pacmap")["state"] == "queued"
    assert api.cancel_projection(own, seed=0, method="pacmap")["state"] == "cancelled"
    assert api.projection(own, seed=0, method="pacmap")["state"] == "cancelled"
    assert api.restart_projection(own, seed=0, method="pacmap")["state"] == "queued"
    assert len(api.hardest(own, seed=0, epoch=1)["arms"]) == 2
    moved = api.moved(own, seed=0, epoch=1)
    assert (moved["a"], moved["b"]) == tuple(arm["arm"] for arm in facts["arms"])
    assert api.moved(own, seed=0, epoch=1, a=moved["b"], b=moved["a"])["kept"] == moved["kept"]

    size = api.size(own)
    assert size["runs"] == 2
    assert min(size["bytes"], size["points"]) > 0


def test_missing_snapshots_are_errors(filled: tuple[Api, str]) -> None:
    api, own = filled
    with pytest.raises(MissingError, match="no snapshot of epoch 9"):
        api.space_facts(own, seed=0, epoch=9)
    with pytest.raises(MissingError, match="no snapshots of seed 9"):
        api.projection(own, seed=9)
    for call in (api.space, api.size):
        with pytest.raises(MissingError, match="'nothing'"):
            call("nothing")

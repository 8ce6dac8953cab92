"""Trained models over HTTP: what is suggested, downloads, embeddings for other tools, confusion."""

import io
import json
import struct
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pyarrow.parquet as pq
import pytest
from safetensors.numpy import load as load_weights

from backend.artifacts.blobs import read_description
from backend.artifacts.card import CardFacts, model_card, plain
from backend.db.models import Dataset, Run
from backend.state import Parts
from backend.verdict.leaderboard_schemas import Leaderboard
from contract.artifacts import DESCRIPTION
from tests.backend.helpers import Api, check_error
from tests.backend.scripted_runs import PAIR, Curves, scripted_comparison
from tests.support.kept_models import KeptRun, kept_run
from tests.support.stored_models import store_confusion, store_part

NAME = "Digits *and* <b>more</b>"
MAP, RECALL = "test.retrieval.map_at_r", "test.retrieval.recall_at_1"


@pytest.fixture(scope="module")
def kept() -> KeptRun:
    return kept_run(name=NAME, seeds=[1], arms=[{"name": "rank", "loss": {"kind": "triplet"}}])


def curves(arm: str, seed: int) -> Curves:
    """`rank` is ahead of `pull` in retrieval at each seed."""
    value = 0.8 + 0.01 * seed if arm == "rank" else 0.5 + 0.02 * seed
    return {key: {100: value} for key in (MAP, RECALL)}


def runs_of(parts: Parts, api: Api, comparison: str) -> dict[tuple[str, int], Run]:
    listed = api.get(f"/comparisons/{comparison}/runs")["runs"]
    with parts.database.read() as session:
        found = {one["id"]: session.get(Run, one["id"]) for one in listed}
    return {(run.arm, run.seed): run for run in found.values() if run is not None}


@pytest.fixture
def comparison(parts: Parts) -> str:
    return scripted_comparison(parts.database, curves, name=NAME, seeds=list(range(6)))


@pytest.fixture
def runs(api: Api, parts: Parts, comparison: str) -> dict[tuple[str, int], Run]:
    return runs_of(parts, api, comparison)


def store_kept(parts: Parts, run: Run, kept: KeptRun) -> None:
    """Let a run of the database have kept what a trained one has."""
    for kind, part in kept.parts.items():
        assert parts.blobs.put(kept.content(kind)) == part.digest
        store_part(parts.database, run, kind, part.digest, **part.facts)


def test_the_suggested_model_is_of_the_arm_that_the_advice_names_and_of_its_best_seed(
    api: Api, parts: Parts, comparison: str, runs: dict[tuple[str, int], Run]
) -> None:
    for (_, seed), run in runs.items():
        score = 0.9 if seed == 2 else 0.1 * seed
        store_part(parts.database, run, "weights", f"{seed}" * 64, score=score)
    found = api.get(f"/comparisons/{comparison}/models")
    suggested = found["suggested"]
    assert (suggested["arm"], suggested["seed"]) == ("rank", 2)
    assert suggested["run"] == runs["rank", 2].id
    assert suggested["level"] == []
    assert "advice" in suggested["why_arm"]
    assert "validation" in suggested["why_seed"]
    [part] = found["runs"][0]["parts"]
    assert (part["kind"], part["kept"], part["size"]) == ("weights", True, 10)


def test_arms_that_are_not_told_apart_are_never_hidden(api: Api, parts: Parts) -> None:
    def alike(arm: str, seed: int) -> Curves:
        value = 0.5 + 0.1 * ((seed + (arm == "rank")) % 3)
        return {key: {100: value} for key in (MAP, RECALL)}

    comparison = scripted_comparison(parts.database, alike, seeds=list(range(6)))
    suggested = api.get(f"/comparisons/{comparison}/models")["suggested"]
    assert set(suggested["level"]) == {"pull", "rank"}
    assert "no clear difference" in suggested["why_arm"]


def test_arms_that_differ_in_one_metric_alone_are_not_called_as_good(
    api: Api, parts: Parts
) -> None:
    def curves(arm: str, seed: int) -> Curves:
        noise = 0.01 * ((seed + len(arm)) % 3) + 0.002 * (arm == "rank") * seed
        return {MAP: {100: (0.5 if arm == "wider" else 0.8) - noise}, RECALL: {100: 0.9 - noise}}

    wide = {"name": "wider", "loss": {"kind": "triplet", "margin": 2.0}}
    arms = [*PAIR, wide]
    comparison = scripted_comparison(parts.database, curves, seeds=list(range(6)), arms=arms)
    suggested = api.get(f"/comparisons/{comparison}/models")["suggested"]
    assert suggested["level"] == []
    assert "some differ clearly in one" in suggested["why_arm"]


def test_without_a_finished_run_nothing_is_suggested(api: Api) -> None:
    comparison = api.submit()
    found = api.get(f"/comparisons/{comparison}/models")
    assert found["suggested"] is None
    assert [(one["state"], one["parts"]) for one in found["runs"]] == [("queued", [])]


def test_the_download_has_weights_description_script_and_card(
    api: Api, parts: Parts, runs: dict[tuple[str, int], Run], kept: KeptRun
) -> None:
    run = runs["rank", 1]
    store_kept(parts, run, kept)
    told = api.get(f"/runs/{run.id}/model")
    answer = api.http.get(f"/api/v1/runs/{run.id}/model.zip")
    assert answer.headers["content-disposition"].startswith('attachment; filename="Digits-')
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        files = {name: archive.read(name) for name in archive.namelist()}
    assert {one["name"]: one["size"] for one in told["files"]} == {
        name: len(content) for name, content in files.items()
    }
    assert set(load_weights(files["model.safetensors"])) == {
        f"layers.{at}.{what}" for at in (1, 3) for what in ("weight", "bias")
    }
    described = json.loads(files["model.json"])
    assert described == told["description"]
    assert described["weights"]["sha256"] == kept.parts["weights"].digest
    assert files["embed.py"].decode() == told["script"]
    compile(told["script"], "embed.py", "exec")
    assert NAME not in told["script"], "no text of users is in a program"
    assert files["README.md"].decode() == told["card"]
    assert told["needs"] == ["torch", "numpy", "safetensors", "pillow"]


def test_the_card_tells_results_with_intervals_and_limits(
    api: Api, parts: Parts, runs: dict[tuple[str, int], Run], kept: KeptRun
) -> None:
    run = runs["rank", 1]
    store_kept(parts, run, kept)
    card = api.get(f"/runs/{run.id}/model")["card"]
    [row] = [line for line in card.splitlines() if line.startswith("| MAP@R |")]
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    own = dict(kept.reporter.series)["test.retrieval.map_at_r"][0][1]
    assert cells[1] == f"{own:.3f}"
    assert cells[2] == "0.825"  # the mean over the arm's six seeds
    low, high = map(float, cells[3].split(" to "))
    assert low < 0.825 < high
    assert cells[4] == "6"
    assert card.startswith("---\nlibrary_name: pytorch\n")
    assert plain(NAME) in card
    assert NAME not in card
    assert "not tuned" in card.replace("\\", "")
    for part in (
        "## Data",
        "## Training",
        "## How to use it",
        "## What limits this",
        "## Versions",
    ):
        assert f"\n{part}\n" in card


@pytest.mark.parametrize(
    ("tuning", "weights", "said"),
    [
        ("frozen", "imagenet", "fetches its published weights"),
        ("head", "random", "makes its random weights anew"),
        ("head", "file", "--backbone FILE"),
        ("full", "imagenet", ""),
    ],
)
def test_the_card_says_where_a_backbone_comes_from(
    tmp_path: Path, kept: KeptRun, tuning: str, weights: str, said: str
) -> None:
    stored = tmp_path / "weights"
    stored.write_bytes(kept.content("weights"))
    description = read_description(stored)
    network = {"kind": "resnet18", "tuning": tuning, "weights": weights}
    description["encoders"][0]["network"] |= network
    run = cast("Run", SimpleNamespace(arm="rank", splits=None, states=[]))
    facts = CardFacts(run, cast("Leaderboard", SimpleNamespace(metrics=[])), "", [], "seeds", "")
    lines = [line for line in model_card(description, facts).splitlines() if "backbone" in line]
    assert (said in lines[-1] and "not in the download" in lines[-1]) if said else not lines


def trained_on(weights: bytes, dataset: str) -> bytes:
    """The weights' file with another data set in the description in its head."""
    [size] = struct.unpack("<Q", weights[:8])
    head = json.loads(weights[8 : 8 + size])
    described = json.loads(head["__metadata__"][DESCRIPTION])
    described["data"]["dataset"] = dataset
    head["__metadata__"][DESCRIPTION] = json.dumps(described)
    changed = json.dumps(head).encode()
    return struct.pack("<Q", len(changed)) + changed + weights[8 + size :]


def test_the_card_names_the_upload_that_it_was_trained_on(
    api: Api, parts: Parts, runs: dict[tuple[str, int], Run], kept: KeptRun
) -> None:
    figures: dict[str, Any] = {"kind": "features", "created_at": 0.0, "size": 1, "items": 1}
    with parts.database.write() as write:
        write.session.add(Dataset(id="d1", name="shoes *new*", sha256="", facts={}, **figures))
    for seed, dataset in enumerate(("d1", "deleted")):
        content = trained_on(kept.content("weights"), dataset)
        facts = kept.parts["weights"].facts
        store_part(parts.database, runs["rank", seed], "weights", parts.blobs.put(content), **facts)
    cards = [api.get(f"/runs/{runs['rank', seed].id}/model")["card"] for seed in (0, 1)]
    assert "\n- name: shoes \\*new\\*\n" in cards[0]
    assert "- name:" not in cards[1]


def test_the_card_of_a_single_seed_says_why_there_is_no_interval(
    api: Api, parts: Parts, kept: KeptRun
) -> None:
    comparison = scripted_comparison(parts.database, curves, name=NAME, seeds=[1])
    run = runs_of(parts, api, comparison)["rank", 1]
    store_kept(parts, run, kept)
    card = api.get(f"/runs/{run.id}/model")["card"]
    assert "| metric | this model | mean of its arm | seeds |" in card
    assert "There is no interval of the mean: that takes three seeds or more." in card
    assert "- batch size: " in card


def test_what_is_not_kept_is_404_and_says_why(
    api: Api, parts: Parts, runs: dict[tuple[str, int], Run]
) -> None:
    run = runs["pull", 0]
    for path in ("model", "model.zip", "embeddings.parquet", "projector/vectors.tsv"):
        answer = api.http.get(f"/api/v1/runs/{run.id}/{path}")
        assert "older versions" in check_error(answer, 404, "not_found")["message"]
    store_part(parts.database, run, "weights", None)
    answer = api.http.get(f"/api/v1/runs/{run.id}/model")
    assert "too large" in check_error(answer, 404, "not_found")["message"]
    store_part(parts.database, run, "weights", "a" * 64)  # its file is gone
    answer = api.http.get(f"/api/v1/runs/{run.id}/model")
    assert "not on the API's disk" in check_error(answer, 404, "not_found")["message"]
    store_part(parts.database, run, "weights", parts.blobs.put(b"no weights at all"))
    store_part(parts.database, run, "embeddings", parts.blobs.put(b"PK\x03\x04 cut off"))
    for path in ("model", "embeddings.parquet"):
        answer = api.http.get(f"/api/v1/runs/{run.id}/{path}")
        assert "cannot be read" in check_error(answer, 404, "not_found")["message"]


def test_embeddings_as_parquet_and_for_the_projector(
    api: Api, parts: Parts, runs: dict[tuple[str, int], Run], kept: KeptRun
) -> None:
    run, stored = runs["rank", 1], kept.embeddings
    store_kept(parts, run, kept)
    answer = api.http.get(f"/api/v1/runs/{run.id}/embeddings.parquet")
    table = pq.read_table(io.BytesIO(answer.content))
    assert table.num_rows == len(stored["labels"])
    np.testing.assert_array_equal(np.stack(table["embedding"].to_numpy()), stored["embeddings"])
    assert table["class"].to_pylist() == [str(label) for label in stored["labels"]]
    right = np.array(table["class"]) == np.array(table["nearest_class"])
    assert table["nearest_is_right"].to_pylist() == right.tolist()
    assert table["id"].to_pylist() == stored["ids"].tolist()
    assert set(table["split"].to_pylist()) == {"test"}

    vectors = api.http.get(f"/api/v1/runs/{run.id}/projector/vectors.tsv").text
    lines = [[float(cell) for cell in line.split("\t")] for line in vectors.splitlines()]
    np.testing.assert_allclose(lines, stored["embeddings"], rtol=1e-6)
    metadata = api.http.get(f"/api/v1/runs/{run.id}/projector/metadata.tsv").text.splitlines()
    assert metadata[0].split("\t")[:3] == ["id", "label", "class"]
    assert len(metadata) == len(lines) + 1
    assert len({line.count("\t") for line in metadata}) == 1


@pytest.mark.both_databases
def test_confusion_is_the_mean_over_seeds_of_each_arm(api: Api, parts: Parts) -> None:
    comparison = scripted_comparison(parts.database, curves, seeds=[0, 1])
    runs = runs_of(parts, api, comparison)
    store_confusion(parts.database, parts.blobs, runs["pull", 0], [(0, 1, 4), (2, 0, 1)])
    store_confusion(parts.database, parts.blobs, runs["pull", 1], [(0, 1, 2)])
    found = api.get(f"/comparisons/{comparison}/confusion")
    assert (found["shared"], found["seeds"], found["classes"]) == (True, [0, 1], ["a", "b", "c"])
    assert found["lacking"] == ["rank"]
    [arm] = found["arms"]
    assert (arm["arm"], arm["seeds"], arm["right"]) == ("pull", [0, 1], [7, 10, 9.5])
    assert arm["pairs"] == [
        {"actual": 0, "nearest": 1, "items": 3, "low": 2, "high": 4},
        {"actual": 2, "nearest": 0, "items": 0.5, "low": 0, "high": 1},
    ]
    [one] = api.get(f"/comparisons/{comparison}/confusion", seed=1)["arms"]
    assert one["right"] == [8, 10, 10]
    check_error(
        api.http.get(f"/api/v1/comparisons/{comparison}/confusion?seed=7"), 404, "not_found"
    )


def test_splits_of_their_own_are_never_averaged(api: Api, parts: Parts) -> None:
    comparison = scripted_comparison(parts.database, curves, seeds=[0, 1], replicate="split")
    runs = runs_of(parts, api, comparison)
    for seed in (0, 1):
        pairs = [(0, 1, seed + 1)]
        store_confusion(parts.database, parts.blobs, runs["pull", seed], pairs)
    found = api.get(f"/comparisons/{comparison}/confusion")
    assert (found["shared"], found["seeds"]) == (False, [0, 1])
    assert found["arms"][0]["seeds"] == [0]


def test_of_many_classes_the_same_frequent_pairs_are_listed_of_each_arm(
    api: Api, parts: Parts
) -> None:
    comparison = scripted_comparison(parts.database, curves, seeds=[0])
    runs = runs_of(parts, api, comparison)
    classes = [f"class {at}" for at in range(300)]
    frequent = [(at, at + 1, 3) for at in range(60)]
    rare = [(at, at + 1, 1) for at in range(100, 200)]
    for arm, pairs in (("pull", [*frequent, *rare]), ("rank", [(100, 101, 2)])):
        store_confusion(parts.database, parts.blobs, runs[arm, 0], pairs, classes=classes, items=5)
    pull, rank = api.get(f"/comparisons/{comparison}/confusion")["arms"]
    listed = {(pair["actual"], pair["nearest"]) for pair in pull["pairs"]}
    assert listed == {(at, at + 1) for at in (*range(60), 100)}
    assert pull["others"] == 99
    assert [(pair["actual"], pair["items"]) for pair in rank["pairs"]] == [(100, 2)]


def test_a_comparison_of_an_older_version_has_no_confusion(api: Api, comparison: str) -> None:
    found = api.get(f"/comparisons/{comparison}/confusion")
    assert (found["arms"], found["lacking"]) == ([], ["pull", "rank"])

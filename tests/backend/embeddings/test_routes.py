"""Snapshots through the API: as the workers sent them, for the arms that have them."""

import io

import numpy as np
import pytest
from numpy.typing import NDArray

from backend.runs import snapshots
from backend.state import Parts
from tests.backend.helpers import Api, check_error
from tests.support.snapshots import fill

V1 = "/api/v1"
AT = {"seed": 1, "epoch": 2}


@pytest.fixture
def filled(parts: Parts) -> str:
    """A comparison with two arms, two seeds, epochs 0 to 2 and 60 samples."""
    return fill(parts.database, parts.blobs, epochs=2, samples=60)


def embeddings(api: Api, parts: Parts, comparison: str) -> dict[str, NDArray[np.float64]]:
    """Return the embeddings [N, D] of each arm at AT, through the API."""
    with parts.database.read() as session:
        rows = snapshots.of_comparison(session, comparison, AT["seed"])
    found = {}
    for row in rows:
        if row.epoch == AT["epoch"]:
            content = api.http.get(f"{V1}/comparisons/{comparison}/blobs/{row.embeddings}").content
            found[row.arm] = np.load(io.BytesIO(content)).astype(np.float64)
    return found


def test_samples_seeds_and_epochs(api: Api, filled: str) -> None:
    space = api.get(f"/comparisons/{filled}/space")
    runs = api.get(f"/comparisons/{filled}/runs")["runs"]
    assert space["seeds"] == [0, 1]
    assert [(run["arm"], run["seed"], run["run"]) for run in space["runs"]] == [
        (run["arm"], run["seed"], run["id"]) for run in runs
    ]
    assert [run["epochs"] for run in space["runs"]] == [[0, 1, 2]] * 4
    samples = space["samples"]
    assert (samples["n"], samples["total"], samples["split"]) == (60, 180, "validation")
    assert len(samples["labels"]) == len(samples["ids"]) == 60
    assert (samples["media"], samples["tile"], samples["columns"]) == ("image", 28, 8)
    assert samples["fine"] is samples["modality"] is samples["sounds"] is None
    picture = api.http.get(samples["sprite"])
    assert picture.headers["content-type"] == "image/png"
    assert picture.content.startswith(b"\x89PNG")
    for header, value in (("cache-control", "immutable"), ("x-content-type-options", "nosniff")):
        assert value in picture.headers[header]


def test_seeds_with_splits_of_their_own_have_samples_of_their_own(api: Api, parts: Parts) -> None:
    filled = fill(parts.database, parts.blobs, epochs=1, samples=40, replicate="split")
    space = api.get(f"/comparisons/{filled}/space")
    assert space["shared"] is False
    assert space["seeds"] == [0, 1]
    assert len(space["runs"]) == 4
    of = [api.get(f"/comparisons/{filled}/space", seed=seed)["samples"]["ids"] for seed in (0, 1)]
    assert space["samples"]["ids"] == of[0]
    assert of[1] == [one + 1 for one in of[0]]
    for seed in (0, 1):
        facts = api.get(f"/comparisons/{filled}/space/facts", seed=seed, epoch=1)
        assert len(facts["arms"]) == 2
    asked = {"seed": 1, "method": "pca"}
    assert api.get(f"/comparisons/{filled}/projection", **asked)["n"] == 40


def test_seeds_on_one_split_share_their_samples(api: Api, filled: str) -> None:
    for seed in (0, 1, 5):
        space = api.get(f"/comparisons/{filled}/space", seed=seed)
        assert space["shared"] is True
        assert space["samples"]["n"] == 60


def test_pairs_have_modalities_and_sounds(api: Api, parts: Parts) -> None:
    filled = fill(parts.database, parts.blobs, seeds=1, epochs=0, samples=40, paired=True)
    samples = api.get(f"/comparisons/{filled}/space")["samples"]
    assert samples["modalities"] == ["audio", "visual"]
    assert samples["modality"] == [0] * 20 + [1] * 20
    assert samples["fine"][20:] == [-1] * 20
    assert len(samples["sound_ends"]) == 20
    heard = api.http.get(samples["sounds"], headers={"Range": "bytes=0-3"})
    assert (heard.status_code, heard.content) == (206, b"RIFF")
    assert heard.headers["content-type"] == "audio/wav"


def test_a_comparison_without_snapshots(api: Api) -> None:
    own = api.submit()
    assert api.get(f"/comparisons/{own}/space") == {
        "samples": None,
        "shared": True,
        "seeds": [],
        "runs": [],
    }
    for path in ("space/facts?seed=0&epoch=0", "space/distances?seed=0"):
        body = check_error(api.http.get(f"{V1}/comparisons/{own}/{path}"), 404, "not_found")
        assert "no snapshot of seed 0 yet" in body["message"]


def test_facts_follow_from_the_embeddings(api: Api, parts: Parts, filled: str) -> None:
    labels = np.array(api.get(f"/comparisons/{filled}/space")["samples"]["labels"])
    answer = api.get(f"/comparisons/{filled}/space/facts", **AT)
    assert (answer["seed"], answer["epoch"]) == (1, 2)
    of_arm = embeddings(api, parts, filled)
    assert [arm["arm"] for arm in answer["arms"]] == list(of_arm) == ["contrastive", "triplet"]
    for arm in answer["arms"]:
        vectors = of_arm[arm["arm"]]
        own = {c: vectors[labels == c] - vectors[labels == c].mean(axis=0) for c in set(labels)}
        for facts in arm["classes"]:
            spread = own[facts["label"]]
            assert facts["n"] == len(spread)
            assert facts["variance"] == pytest.approx((spread**2).sum(axis=1).mean(), rel=1e-3)
        first = np.linalg.norm(own[labels[0]][0])
        assert arm["centroid_distance"][0] == pytest.approx(first, rel=1e-3)
        assert len(arm["correct"]) == len(arm["average_precision"]) == 60
        counted = arm["histogram"]
        assert sum(counted["positive"]) + sum(counted["negative"]) == 60 * 59 // 2
    first, second = answer["arms"]
    assert first["histogram"] != second["histogram"]


@pytest.mark.both_databases
def test_neighbours_are_the_nearest(api: Api, parts: Parts, filled: str) -> None:
    labels = api.get(f"/comparisons/{filled}/space")["samples"]["labels"]
    of_arm = embeddings(api, parts, filled)
    for k, kept in ((3, 3), (100, 10)):
        answer = api.get(f"/comparisons/{filled}/space/neighbours", **AT, sample=7, k=k)
        assert (answer["sample"], len(answer["arms"])) == (7, 2)
        for arm in answer["arms"]:
            away = np.linalg.norm(of_arm[arm["arm"]] - of_arm[arm["arm"]][7], axis=1)
            order = np.argsort(away)[1 : kept + 1]
            assert [one["sample"] for one in arm["neighbours"]] == order.tolist()
            for one in arm["neighbours"]:
                assert one["distance"] == pytest.approx(away[one["sample"]], rel=1e-3)
                assert one["hit"] == (labels[one["sample"]] == labels[7])


@pytest.mark.both_databases
def test_distances_over_the_epochs(api: Api, filled: str) -> None:
    answer = api.get(f"/comparisons/{filled}/space/distances", seed=1)
    for arm in answer["arms"]:
        assert arm["epochs"] == [0, 1, 2]
        assert len(arm["histograms"]) == 3
    [last] = [arm for arm in answer["arms"] if arm["arm"] == "triplet"]
    facts = api.get(f"/comparisons/{filled}/space/facts", **AT)["arms"][1]
    assert last["histograms"][2] == facts["histogram"]
    assert last["histograms"][0] != facts["histogram"]


def test_a_missing_seed_or_epoch_is_named(api: Api, filled: str) -> None:
    for path, said in (
        ("space/facts?seed=9&epoch=0", "no snapshot of seed 9 yet"),
        ("space/facts?seed=0&epoch=7", "no snapshot of epoch 7; it has 0, 1, 2"),
        ("space/neighbours?seed=0&epoch=7&sample=0", "no snapshot of epoch 7"),
        ("space/distances?seed=9", "no snapshot of seed 9 yet"),
        (f"blobs/{'0' * 64}", "has no blob 000"),
    ):
        body = check_error(api.http.get(f"{V1}/comparisons/{filled}/{path}"), 404, "not_found")
        assert said in body["message"]
        missing = check_error(api.http.get(f"{V1}/comparisons/nothing/{path}"), 404, "not_found")
        assert "'nothing'" in missing["message"]


def test_an_unknown_sample_is_refused(api: Api, filled: str) -> None:
    path = f"{V1}/comparisons/{filled}/space/neighbours"
    answer = api.http.get(path, params={**AT, "sample": 60})
    [field] = check_error(answer, 422, "invalid_request")["fields"]
    assert field == {"path": "sample", "message": "there is no sample 60; name one of 0 to 59"}
    assert api.http.get(path, params={**AT, "sample": 59}).status_code == 200


def test_a_blob_of_another_comparison_is_not_shown(api: Api, parts: Parts, filled: str) -> None:
    other = fill(parts.database, parts.blobs, arms=1, seeds=1, epochs=0, samples=30)
    sprite = api.get(f"/comparisons/{other}/space")["samples"]["sprite"]
    assert api.http.get(sprite).status_code == 200
    check_error(api.http.get(sprite.replace(other, filled)), 404, "not_found")


def test_the_hardest_tuples_of_every_arm_and_the_suspect_labels(
    api: Api, parts: Parts, filled: str
) -> None:
    samples = api.get(f"/comparisons/{filled}/space")["samples"]
    labels = np.array(samples["labels"])
    answer = api.get(f"/comparisons/{filled}/space/hardest", **AT)
    assert (answer["seed"], answer["epoch"], answer["among"], answer["k"]) == (1, 2, 60, 10)
    of_arm = embeddings(api, parts, filled)
    assert [arm["arm"] for arm in answer["arms"]] == list(of_arm)
    for arm in answer["arms"]:
        vectors = of_arm[arm["arm"]]
        away = np.linalg.norm(vectors[:, None] - vectors, axis=2) / arm["mean_distance"]
        assert away.sum() / (60 * 59) == pytest.approx(1, rel=1e-4)
        a, p, n = arm["triplets"][0]["samples"]
        assert labels[a] == labels[p] != labels[n]
        assert arm["triplets"][0]["value"] == pytest.approx(away[a, p] - away[a, n], abs=1e-4)
        alike = labels[:, None] == labels
        assert arm["positives"][0]["value"] == pytest.approx(away[alike].max(), abs=1e-4)
        assert arm["negatives"][0]["value"] == pytest.approx(away[~alike].min(), abs=1e-4)
    near = [
        {
            arm["arm"]: [labels[one["sample"]] for one in arm["neighbours"]]
            for arm in api.get(
                f"/comparisons/{filled}/space/neighbours", **AT, sample=one["sample"], k=10
            )["arms"]
        }
        for one in answer["suspects"]
    ]
    assert len(near) == answer["suspected"] > 0
    for suspect, of_arms in zip(answer["suspects"], near, strict=True):
        assert labels[suspect["sample"]] == suspect["label"] != suspect["suggested"]
        counts = [found.count(suspect["suggested"]) for found in of_arms.values()]
        assert min(counts) > 5
        assert suspect["share"] == pytest.approx(sum(counts) / 20)
    missing = api.http.get(f"{V1}/comparisons/{filled}/space/hardest?seed=1&epoch=7")
    assert "no snapshot of epoch 7" in check_error(missing, 404, "not_found")["message"]


def test_which_classes_moved_between_two_arms(api: Api, parts: Parts) -> None:
    filled = fill(parts.database, parts.blobs, arms=3, seeds=2, epochs=2, samples=60)
    url = f"/comparisons/{filled}/space/moved"
    found = api.get(url, **AT)
    assert (found["a"], found["b"], found["k"]) == ("contrastive", "triplet", 10)
    assert found["chance"] == pytest.approx(10 / 59)
    of_arm = embeddings(api, parts, filled)
    near = []
    for arm in ("contrastive", "triplet"):
        away = np.linalg.norm(of_arm[arm][:, None] - of_arm[arm], axis=2)
        np.fill_diagonal(away, np.inf)
        near.append([set(row[:10].tolist()) for row in away.argsort(axis=1)])
    kept = np.array([len(ours & theirs) / 10 for ours, theirs in zip(*near, strict=True)])
    assert found["kept"] == pytest.approx(kept.mean())
    shares = [one["kept"] for one in found["classes"]]
    assert shares == sorted(shares)
    labels = np.array(api.get(f"/comparisons/{filled}/space")["samples"]["labels"])
    for one in found["classes"]:
        assert one["kept"] == pytest.approx(kept[labels == one["label"]].mean())
    assert 0 < found["cka"] < found["cka_biased"] < 1
    other = api.get(url, **AT, a="sup_con", b="triplet")
    assert (other["a"], other["b"]) == ("sup_con", "triplet")
    same = api.get(url, **AT, a="triplet", b="triplet")
    assert (same["kept"], same["cka"]) == (1, pytest.approx(1))
    unknown = api.http.get(f"{V1}{url}?seed=1&epoch=2&a=arcface")
    assert "arm 'arcface' has no snapshot" in check_error(unknown, 404, "not_found")["message"]
    single = fill(parts.database, parts.blobs, arms=1, epochs=0, samples=30)
    alone = api.http.get(f"{V1}/comparisons/{single}/space/moved?seed=0&epoch=0")
    assert "only 'contrastive'" in check_error(alone, 404, "not_found")["message"]

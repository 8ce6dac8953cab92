"""The verdict over HTTP, from stored points."""

import pytest

from backend.state import Parts
from contract.catalogue.claims import CLAIMS
from contract.metrics import METRICS
from contract.statistics import compare, holm
from tests.backend.helpers import Api, Json
from tests.backend.scripted_runs import PAIR, Curves, per_epoch, scripted_comparison

SEEDS = [0, 1, 2, 3, 4]
JITTER = (0.0, 0.02, -0.01, 0.01, 0.005)
EVIDENCE_KEYS = {
    "metric",
    "label",
    "expected",
    "mean_a",
    "mean_b",
    "mean_difference",
    "interval",
    "p_value",
    "p_holm",
    "effect_size",
    "n",
    "censored",
    "verdict",
}
CLAIM_KEYS = {
    "id",
    "text",
    "metric",
    "arms",
    "mean_difference",
    "interval",
    "p_value",
    "p_holm",
    "effect_size",
    "n",
    "verdict",
    "reason",
    "reported",
    "evidence",
}


def curves(arm: str, seed: int) -> Curves:
    """Contrastive (pull) against triplet (rank): all claims but 5, 7 and 9 are supported."""
    rank = arm == "rank"
    more = 0.2 * rank + JITTER[seed] * (1 if rank else -1)
    losses = [0.5] * (1 if rank else 3) + [0.05] * (9 if rank else 7)
    return {
        "dynamics.loss": per_epoch(1.0, *losses),
        "dynamics.active_ratio": per_epoch(1.0, 0.8 - more, *[0.1] * 9),
        "dynamics.gradient_norm": per_epoch(None, 1.0, *[0.5] * 8, 0.3 + more),
        "dynamics.gradient_norm.per_active": per_epoch(None, *[0.1 + more] * 10),
        "test.geometry.intra_class_variance": {50: 0.2 + more},
        "test.geometry.intra_class_variance.scale_free": {50: 0.1 + more},
        "test.geometry.inter_class_variance": {50: 1.2 + more},
        "test.geometry.inter_class_variance.scale_free": {50: 1.1 + more},
        "test.classification.knn_accuracy_5": {50: 0.7 + more},
        "test.classification.linear_probe_accuracy": {50: 0.9 + (-1) ** (seed + rank) / 50},
        "test.retrieval.recall_at_1": {50: 0.5 + more},
        "test.retrieval.map_at_r": {50: 0.4 + more},
    }


def verdict(api: Api, comparison: str, **query: str) -> Json:
    return api.get(f"/comparisons/{comparison}/verdict", **query)


def claims(found: Json) -> dict[int, Json]:
    return {claim["id"]: claim for claim in found["claims"]}


def test_a_whole_verdict(api: Api, parts: Parts) -> None:
    found = verdict(api, scripted_comparison(parts.database, curves, seeds=SEEDS))
    assert set(found) == {
        *("summary", "advice", "arms", "seeds", "smallest_p", "caveats", "claims")
    }
    assert found["arms"] == {"a": "pull", "b": "rank"}
    assert (found["seeds"], found["smallest_p"]) == (5, 0.0625)
    assert found["summary"] == (
        "Of nine claims, over 5 seeds: 6 are supported (1, 2, 3, 4, 6, 8), 1 is contradicted (5), "
        "1 is undecided (7) and 1 is not measured (9)."
    )
    assert found["caveats"][0] == "With 5 seeds no p below 0.0625 can be reached."
    by_id = claims(found)
    assert list(by_id) == [claim.id for claim in CLAIMS]
    for claim in CLAIMS:
        one = by_id[claim.id]
        assert set(one) == CLAIM_KEYS
        assert one["text"] == claim.text()
        assert one["arms"] == {"a": "pull", "b": "rank"}
        assert [e["metric"] for e in one["evidence"]] == [e.metric for e in claim.evidence]
        for evidence in one["evidence"]:
            assert set(evidence) == EVIDENCE_KEYS
            assert evidence["label"] == METRICS[evidence["metric"]].label
    retrieval = by_id[8]
    expected = compare(
        [curves("pull", seed)["test.retrieval.recall_at_1"][50] or 0 for seed in SEEDS],
        [curves("rank", seed)["test.retrieval.recall_at_1"][50] or 0 for seed in SEEDS],
    )
    assert retrieval["metric"] == "test.retrieval.recall_at_1"
    assert retrieval["mean_difference"] == expected.mean_difference
    assert retrieval["interval"] == list(expected.interval or ())
    assert (retrieval["p_value"], retrieval["n"]) == (0.0625, 5)
    assert retrieval["effect_size"] == expected.effect_size
    assert [e["verdict"] for e in by_id[7]["evidence"]] == ["supported", "undecided"]
    assert by_id[7]["reason"].startswith(
        "The metrics do not agree: kNN accuracy, k = 5 (test): 0.695 in pull against 0.905 in rank"
    )
    assert "fine labels" in by_id[9]["reason"]
    assert (by_id[5]["mean_difference"], by_id[5]["interval"]) == (2, [2, 2])
    assert [(r["what"], r["a"], r["b"]) for r in by_id[5]["reported"]] == [("loss-decay", 27, 43)]
    assert all(r["second_hand"] for claim in by_id.values() for r in claim["reported"])


def test_holm_over_the_evidence_of_all_claims(api: Api, parts: Parts) -> None:
    found = verdict(api, scripted_comparison(parts.database, curves, seeds=SEEDS))
    evidence = [one for claim in found["claims"] for one in claim["evidence"]]
    measured = [one for one in evidence if one["p_value"] is not None]
    assert (len(evidence), len(measured)) == (13, 12)
    assert [one["p_holm"] for one in measured] == holm([one["p_value"] for one in measured])
    assert [one["p_holm"] for one in evidence if one["p_value"] is None] == [None]


def test_censored_decay_decides_by_sign_from_six_seeds_on(api: Api, parts: Parts) -> None:
    def slow(arm: str, seed: int) -> Curves:
        reached = 0.05 if arm == "pull" or seed else 0.4  # rank never at seed 0
        return {
            "dynamics.loss": per_epoch(1.0, *[0.5] * (5 if arm == "rank" else 2), *[reached] * 5)
        }

    found = claims(verdict(api, scripted_comparison(parts.database, slow, seeds=SEEDS)))[5]
    assert (found["verdict"], found["interval"], found["n"]) == ("undecided", None, 5)
    assert found["p_value"] == 0.0625
    found = claims(verdict(api, scripted_comparison(parts.database, slow, seeds=[*SEEDS, 5])))[5]
    [evidence] = found["evidence"]
    assert (found["verdict"], found["interval"], found["p_value"]) == ("supported", None, 0.03125)
    assert (evidence["censored"], evidence["mean_a"], evidence["mean_b"]) == (1, 3, None)
    assert found["mean_difference"] == pytest.approx(((3 - 10) + 5 * (3 - 6)) / 6)


def test_one_seed_and_none(api: Api, parts: Parts) -> None:
    found = verdict(api, scripted_comparison(parts.database, curves, seeds=[0]))
    assert {claim["verdict"] for claim in found["claims"]} == {"undecided", "not_measured"}
    assert claims(found)[1]["n"] == 1
    assert "One seed decides nothing: at least two are needed for an interval." in found["caveats"]
    comparison = api.submit(arms=list(PAIR), seeds=[0, 1])
    found = verdict(api, comparison)
    assert (found["seeds"], found["smallest_p"]) == (0, None)
    assert found["arms"] == {"a": "pull", "b": "rank"}
    assert {claim["verdict"] for claim in found["claims"]} == {"not_measured"}
    reason = "No seed has a finished run of both pull and rank yet."
    assert found["summary"] == found["claims"][0]["reason"] == reason
    assert found["caveats"][0] == "4 of 4 runs have not finished: the verdict may still change."


def test_seeds_at_which_a_run_is_missing_are_left_out(api: Api, parts: Parts) -> None:
    states = {("rank", 1): "failed", ("pull", 2): "cancelled", ("pull", 3): "running"}
    found = verdict(api, scripted_comparison(parts.database, curves, seeds=SEEDS, states=states))
    assert found["seeds"] == 2
    assert {c["n"] for c in found["claims"] if c["verdict"] != "not_measured"} == {2}
    assert found["summary"].startswith("Of nine claims, over 2 of 5 seeds: ")
    assert found["caveats"][:2] == [
        "1 of 10 runs has not finished: the verdict may still change.",
        "Of 10 runs 1 failed and 1 cancelled: their seeds are left out of the comparison.",
    ]


@pytest.mark.parametrize(
    ("kinds", "sentence"),
    [
        (("triplet", "n_pair"), "no contrastive arm: name two"),
        (("contrastive", "n_pair"), "no triplet arm: name two"),
        (("sup_con", "n_pair"), "no contrastive and no triplet arm: name two"),
    ],
)
def test_without_the_two_losses_nothing_is_measured(
    api: Api, kinds: tuple[str, str], sentence: str
) -> None:
    arms = [{"name": kind, "loss": {"kind": kind}} for kind in kinds]
    found = verdict(api, api.submit(arms=arms))
    assert (found["arms"], found["seeds"], found["caveats"]) == (None, 0, [])
    assert sentence in found["summary"]
    for claim in found["claims"]:
        assert (claim["verdict"], claim["arms"], claim["n"]) == ("not_measured", None, 0)
        assert claim["reason"] == found["summary"]
    assert found["claims"][0]["reported"]


def test_any_two_arms(api: Api, parts: Parts) -> None:
    wide = {"name": "wide", "loss": {"kind": "triplet", "margin": 2.0}}
    comparison = scripted_comparison(parts.database, curves, seeds=SEEDS, arms=[*PAIR, wide])
    found = verdict(api, comparison, a="rank", b="wide")
    assert found["arms"] == {"a": "rank", "b": "wide"}
    assert claims(found)[1]["text"] == "wide keeps more intra-class variance"
    assert all(claim["reported"] == [] for claim in found["claims"])
    assert "loss.margin (rank: 1.0, wide: 2.0)" in " ".join(found["caveats"])
    assert verdict(api, comparison)["arms"] == {"a": "pull", "b": "rank"}
    assert verdict(api, comparison, b="wide")["arms"] == {"a": "pull", "b": "wide"}
    assert claims(verdict(api, comparison, b="wide"))[1]["text"].startswith("Triplet keeps")
    assert verdict(api, comparison, a="rank")["arms"] == {"a": "rank", "b": "wide"}
    turned = verdict(api, comparison, a="rank", b="pull")
    assert claims(turned)[1]["verdict"] == "contradicted"
    assert claims(turned)[1]["text"] == "pull keeps more intra-class variance"


def test_no_other_arm_to_judge_by(api: Api) -> None:
    arms = [{"name": name, "loss": {"kind": "contrastive"}} for name in ("one", "two")]
    found = verdict(api, api.submit(arms=arms), a="one")
    assert found["arms"] is None
    only = api.submit(arms=[*PAIR])
    found = verdict(api, only, a="rank")
    assert found["arms"] is None
    assert found["summary"] == "The claims are about two arms: name another one to judge by."


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ("a=x", {"a": "there is no arm 'x'; the arms are 'pull', 'rank'"}),
        ("b=", {"b": "there is no arm ''; the arms are 'pull', 'rank'"}),
        ("a=rank&b=rank", {"b": "'rank' cannot be compared with itself; name another arm"}),
    ],
)
def test_arms_that_cannot_be_judged(api: Api, query: str, fields: dict[str, str]) -> None:
    comparison = api.submit(arms=list(PAIR))
    answer = api.http.get(f"/api/v1/comparisons/{comparison}/verdict?{query}")
    assert (answer.status_code, answer.json()["error"]) == (422, "invalid_request")
    assert {f["path"]: f["message"] for f in answer.json()["fields"]} == fields
    assert api.http.get("/api/v1/comparisons/none/verdict").status_code == 404

"""The verdict over HTTP, from stored points."""

import statistics
from collections.abc import Sequence
from typing import Any

import pytest

from backend.db.models import Comparison
from backend.runs import repository as runs
from backend.state import Parts
from contract.catalogue.claims import CLAIMS
from contract.metrics import METRICS
from contract.statistics import compare
from tests.backend.helpers import Api, Json
from tests.backend.scripted_runs import PAIR, Curves, per_epoch, scripted_comparison

SEEDS = list(range(10))
JITTER = (0.0, 0.02, -0.01, 0.01, 0.005)
FIGURE_KEYS = {
    "metric",
    "mean_difference",
    "interval",
    "simultaneous",
    "bounds",
    "ratio",
    "ratio_interval",
    "ratio_simultaneous",
    "ratio_bounds",
    "level_side",
    "p_value",
    "p_holm",
    "effect_size",
    "n",
    "verdict",
}
EVIDENCE_KEYS = {
    *FIGURE_KEYS,
    "label",
    "part",
    "robust",
    "expected",
    "mean_a",
    "mean_b",
    "censored",
    "differences",
}
CLAIM_KEYS = {
    *FIGURE_KEYS,
    "id",
    "text",
    "arms",
    "reason",
    "reported",
    "evidence",
    "reported_evidence",
    "as_reported",
    "disagreement",
    "parts",
    "true_by_construction",
    "related",
}


def curves(arm: str, seed: int) -> Curves:
    """Contrastive (pull) against triplet (rank): all claims but 5, 7 and 9 come out as claimed."""
    rank = arm == "rank"
    more = 0.2 * rank + JITTER[seed % 5] * (1 if rank else -1)
    losses = [0.5] * (1 if rank else 3) + [0.05] * (9 if rank else 7)
    pushing = "triplet" if rank else "negative"
    return {
        "dynamics.loss": per_epoch(1.0, *losses),
        "dynamics.active_ratio": per_epoch(1.0, 0.8 - more, *[0.1] * 9),
        f"dynamics.active_ratio.{pushing}": per_epoch(1.0, 0.7 - more, *[0.1] * 9),
        "dynamics.active_ratio.pushing_anchors": per_epoch(1.0, 0.9 - more, *[0.1] * 9),
        "dynamics.gradient_norm": per_epoch(None, 1.0, *[0.5] * 8, 0.3 + more),
        "dynamics.gradient_norm.per_active": per_epoch(None, *[0.1 + more] * 10),
        "dynamics.update_norm": {step: 0.1 + more * (step > 50) for step in range(10, 101, 10)},
        "retrieval.map_at_r": {0: 0.1, 10: 0.5, 50: 0.8 if rank else 0.6, 100: 0.8},
        **{
            f"{prefix}geometry.{name}": {step: base + more}
            for prefix, step in (("test.", 50), ("test.last.", 100))
            for name, base in (
                ("intra_class_variance", 0.2),
                ("intra_class_variance.scale_free", 0.1),
                ("inter_class_variance", 1.2),
                ("inter_class_variance.scale_free", 1.1),
            )
        },
        "test.classification.knn_accuracy_5": {50: 0.7 + more},
        "test.classification.linear_probe_accuracy": {50: 0.9 + (-1) ** (seed + rank) / 50},
        "test.retrieval.recall_at_1": {50: 0.5 + more},
        "test.retrieval.map_at_r": {50: 0.4 + more},
    }


def verdict(api: Api, comparison: str, **query: str) -> Json:
    return api.get(f"/comparisons/{comparison}/verdict", **query)


def claims(found: Json) -> dict[int, Json]:
    return {claim["id"]: claim for claim in found["claims"]}


def words(found: Json) -> dict[int, str]:
    return {number: claim["verdict"] for number, claim in claims(found).items()}


def without(found: Curves, *beginnings: str) -> Curves:
    """Return curves without those whose keys begin in one of these ways."""
    return {key: curve for key, curve in found.items() if not key.startswith(beginnings)}


def test_a_whole_verdict(api: Api, parts: Parts) -> None:
    found = verdict(api, scripted_comparison(parts.database, curves, seeds=SEEDS))
    assert set(found) == {
        *("claims_version", "summary", "advice", "rule", "arms", "seeds", "replicates"),
        *("family", "smallest_p", "to_halve", "arm_states", "caveats", "claims", "tuned"),
    }
    assert found["arms"] == {"a": "pull", "b": "rank"}
    assert (found["claims_version"], found["family"]) == (2, 8)
    assert (found["seeds"], found["smallest_p"]) == (10, 2 / 2**10)
    assert found["replicates"] == {
        "kind": "seed",
        "noun": "seed",
        "n": 10,
        "said": "10 seeds on one split",
    }
    assert found["to_halve"] == {"replicates": 18, "floor": ""}
    assert found["summary"] == (
        "Of nine claims, over 10 seeds on one split: 5 are supported (1, 3, 4, 6, 8), 1 is "
        "contradicted (5), 1 is level (2), 1 is undecided (7) and 1 is not measured (9)."
    )
    assert found["rule"].startswith("Level if the 99.38 % interval (8 claims together) lies ")
    assert len(found["caveats"]) == 1
    by_id = claims(found)
    assert list(by_id) == [claim.id for claim in CLAIMS]
    for claim in CLAIMS:
        one = by_id[claim.id]
        assert set(one) == CLAIM_KEYS
        assert one["text"] == claim.text()
        assert one["arms"] == {"a": "pull", "b": "rank"}
        assert [e["metric"] for e in one["evidence"]] == [e.metric for e in claim.robust]
        reported = [e["metric"] for e in one["reported_evidence"]]
        assert reported == one["as_reported"]["metrics"] == [e.metric for e in claim.as_reported]
        for evidence in [*one["evidence"], *one["reported_evidence"]]:
            assert set(evidence) == EVIDENCE_KEYS
            assert evidence["label"] == METRICS[evidence["metric"]].label
            assert evidence["robust"] == (evidence in one["evidence"])
    assert (by_id[9]["parts"], by_id[1]["parts"]) == (
        {"judged": 0, "of": 2},
        {"judged": 2, "of": 2},
    )
    assert [e["part"] for e in by_id[1]["evidence"]] == ["best epoch", "last epoch"]
    assert "fine labels" in by_id[9]["reason"]
    assert "2204.07596" in by_id[9]["related"]
    assert "by construction" in by_id[4]["true_by_construction"]
    assert (by_id[5]["mean_difference"], by_id[5]["interval"]) == (5, None)
    assert by_id[5]["evidence"][0]["differences"] == [5] * 10
    assert by_id[9]["evidence"][0]["differences"] == []
    assert [(r["what"], r["a"], r["b"]) for r in by_id[5]["reported"]] == [("loss-decay", 27, 43)]
    assert all(r["second_hand"] for claim in by_id.values() for r in claim["reported"])


def test_figures_of_a_share_and_of_a_variance(api: Api, parts: Parts) -> None:
    by_id = claims(verdict(api, scripted_comparison(parts.database, curves, seeds=SEEDS)))
    recall, _ = by_id[8]["evidence"]
    expected = compare(
        [curves("pull", seed)["test.retrieval.recall_at_1"][50] or 0 for seed in SEEDS],
        [curves("rank", seed)["test.retrieval.recall_at_1"][50] or 0 for seed in SEEDS],
    )
    assert recall["mean_difference"] == by_id[8]["mean_difference"] == expected.mean_difference
    assert recall["interval"] == list(expected.interval or ())
    assert recall["simultaneous"][0] < recall["interval"][0]
    assert len(recall["differences"]) == 10
    assert statistics.fmean(recall["differences"]) == pytest.approx(expected.mean_difference)
    assert (recall["bounds"], recall["ratio"]) == ([-0.01, 0.01], None)
    assert (recall["p_value"], recall["n"]) == (2 / 2**10, 10)
    assert recall["p_holm"] == pytest.approx(8 * 2 / 2**10)
    assert recall["effect_size"] == expected.effect_size
    inter, last = by_id[2]["evidence"]
    assert inter["ratio"] == last["ratio"] == pytest.approx(1.1 / 1.31, abs=0.01)
    assert (inter["bounds"], inter["ratio_bounds"]) == (None, [0.8, 1.25])
    assert inter["ratio_simultaneous"][0] < inter["ratio_interval"][0] < inter["ratio"]
    assert (inter["verdict"], inter["level_side"]) == ("level", "less")
    assert "How far classes are pushed apart follows the margin: 1 in pull" in by_id[2]["reason"]


def test_holm_runs_over_the_claims_with_the_largest_p_of_their_parts(
    api: Api, parts: Parts
) -> None:
    by_id = claims(verdict(api, scripted_comparison(parts.database, curves, seeds=SEEDS)))
    knn, probe = by_id[7]["evidence"]
    assert knn["p_value"] == 2 / 2**10
    assert knn["p_holm"] == probe["p_holm"] == 1
    assert (knn["verdict"], probe["verdict"], by_id[7]["verdict"]) == (
        *("leaning_for", "undecided", "undecided"),
    )
    assert by_id[7]["reason"].startswith(
        "The parts do not agree: kNN accuracy, k = 5 (test): 0.695 in pull against 0.905 in rank"
    )


def test_a_p_that_so_few_seeds_cannot_bring_below_005_is_not_given(api: Api, parts: Parts) -> None:
    found = verdict(api, scripted_comparison(parts.database, curves, seeds=SEEDS[:5]))
    measured = [e for c in found["claims"] for e in c["evidence"] if e["n"]]
    assert {(e["p_value"], e["p_holm"]) for e in measured} == {(None, None)}
    assert found["smallest_p"] == 0.0625
    assert found["caveats"][0].startswith("With 5 seeds the exact test cannot reach 0.05 for 8")
    assert words(found)[8] == "supported"  # by its interval
    assert words(found)[5] == "undecided"  # by the signs, which five seeds cannot decide
    assert len(found["claims"][7]["evidence"][0]["interval"]) == 2
    six = verdict(api, scripted_comparison(parts.database, curves, seeds=SEEDS[:6]))
    evidence = claims(six)[8]["evidence"][0]
    assert (evidence["p_value"], evidence["p_holm"]) == (2 / 2**6, None)


def test_both_forms_may_come_to_different_words(api: Api, parts: Parts) -> None:
    def forgets(arm: str, seed: int) -> Curves:
        more = JITTER[seed % 5]
        return {
            **curves(arm, seed),
            "test.detail.recall_at_1": {50: 0.7 + more + 0.2 * (arm == "rank")},
            "test.last.detail.recall_at_1": {100: 0.7 - more},
        }

    detail = claims(verdict(api, scripted_comparison(parts.database, forgets, seeds=SEEDS)))[9]
    assert [e["verdict"] for e in detail["evidence"]] == ["leaning_for", "level"]
    assert (detail["verdict"], detail["as_reported"]["word"]) == ("undecided", "supported")
    assert [e["verdict"] for e in detail["reported_evidence"]] == ["supported"]
    assert detail["disagreement"] == (
        "Measured as the paper did, the word would be 'supported'; in the robust form it is "
        "'undecided'."
    )


@pytest.mark.both_databases
def test_runs_of_version_0_5_are_judged_on_the_parts_that_they_have(api: Api, parts: Parts) -> None:
    def old(arm: str, seed: int) -> Curves:
        detail = {"test.detail.recall_at_1": {50: 0.5 + 0.2 * (arm == "rank")}}
        kept = without(
            curves(arm, seed), "test.last.", "dynamics.active_ratio.pushing", "dynamics.update"
        )
        return {**kept, **detail}

    comparison = scripted_comparison(parts.database, old, seeds=SEEDS)
    with parts.database.write() as write:
        row = write.session.get(Comparison, comparison)
        assert row is not None
        row.spec = {k: v for k, v in row.spec.items() if k not in {"replicate", "practical"}}
    found = verdict(api, comparison)
    by_id = claims(found)
    judged = {number: tuple(claim["parts"].values()) for number, claim in by_id.items()}
    assert judged == {
        **dict.fromkeys((1, 2, 3, 9), (1, 2)),
        **dict.fromkeys((4, 6), (0, 1)),
        5: (1, 1),
        **dict.fromkeys((7, 8), (2, 2)),
    }
    assert (words(found)[1], words(found)[4], words(found)[9]) == (
        *("supported", "not_measured", "supported"),
    )
    assert (
        "judged on 1 of 2 parts, for these runs have no value of Intra-class variance"
        in (by_id[1]["reason"])
    )
    assert by_id[4]["as_reported"]["word"] == "supported"
    assert by_id[4]["disagreement"] == ""
    assert found["replicates"]["said"] == "10 seeds on one split"


def test_across_two_modalities_both_directions_must_agree(api: Api, parts: Parts) -> None:
    def across(arm: str, seed: int) -> Curves:
        more = 0.2 * (arm == "rank") + JITTER[seed % 5]
        return {
            **curves(arm, seed),
            "test.retrieval.audio_to_visual.map": {50: 0.4 + more},
            "test.retrieval.visual_to_audio.map": {50: 0.6 - more},
        }

    encoder = {"kind": "convnet"}
    comparison = scripted_comparison(
        parts.database,
        across,
        seeds=SEEDS,
        data={"kind": "spoken_digits"},
        encoder={"kind": "audio_convnet"},
        visual_encoder=encoder,
    )
    retrieval = claims(verdict(api, comparison))[8]
    assert [e["metric"] for e in retrieval["evidence"]] == [
        "test.retrieval.audio_to_visual.map",
        "test.retrieval.visual_to_audio.map",
    ]
    assert retrieval["verdict"] == "undecided"
    assert retrieval["as_reported"]["word"] == "supported"
    assert retrieval["as_reported"]["metrics"][0] == "test.retrieval.recall_at_1"
    assert retrieval["disagreement"]


def set_states(parts: Parts, comparison: str, arm: str, state: str, seeds: Sequence[int]) -> None:
    with parts.database.write() as write:
        for run in runs.of_comparison(write.session, comparison):
            if run.arm == arm and run.seed in seeds:
                run.states = [{"state": state, "step": 7, "message": "m"}]


def test_an_arm_that_was_not_trained(api: Api, parts: Parts) -> None:
    comparison = scripted_comparison(parts.database, curves, seeds=SEEDS)
    set_states(parts, comparison, "rank", "collapsed", SEEDS[:6])
    found = verdict(api, comparison)
    said = "rank collapsed to a space without differences in 6 of 10 runs."
    assert found["arm_states"] == [
        {
            "arm": "rank",
            "state": "collapsed",
            "runs": 6,
            "of": 10,
            "not_trained": True,
            "said": said,
        }
    ]
    assert {n for n, word in words(found).items() if word == "not_measured"} == {1, 2, 5, 7, 8, 9}
    assert claims(found)[8]["reason"] == f"{said} So claims about embeddings are not judged."
    assert claims(found)[5]["as_reported"]["word"] == "contradicted"  # of the loss, not of MAP@R
    assert found["summary"].startswith(f"{said} Of nine claims, over 10 seeds on one split: ")
    assert found["advice"].startswith("rank did not train (collapsed to a space without ")
    assert found["family"] == 3


def test_an_arm_with_few_untrained_runs_is_judged_with_a_caveat(api: Api, parts: Parts) -> None:
    comparison = scripted_comparison(parts.database, curves, seeds=SEEDS)
    set_states(parts, comparison, "rank", "collapsed", SEEDS[:5])
    found = verdict(api, comparison)
    assert words(found)[8] == "supported"
    assert [one["not_trained"] for one in found["arm_states"]] == [False]
    assert found["caveats"][0].startswith("rank collapsed to a space without differences in 5 of")


def test_an_arm_whose_runs_have_all_overflowed(api: Api, parts: Parts) -> None:
    states = {("rank", seed): "failed" for seed in SEEDS}
    comparison = scripted_comparison(parts.database, curves, seeds=SEEDS, states=states)
    set_states(parts, comparison, "rank", "overflow", SEEDS)
    found = verdict(api, comparison)
    said = "rank ended with embeddings too large for float32 in 10 of 10 runs."
    assert found["summary"].startswith(f"{said} No seed has a finished run of both")
    assert found["advice"].startswith("rank did not train (ended with embeddings too large ")
    assert set(words(found).values()) == {"not_measured"}
    assert all(claim["reason"] == found["summary"] for claim in found["claims"])


def test_splits_of_one_data_set_are_judged_as_dependent(api: Api, parts: Parts) -> None:
    def splits(kind: str, **data: Any) -> Json:
        comparison = scripted_comparison(
            parts.database, curves, seeds=SEEDS, replicate="split", data={"kind": kind, **data}
        )
        with parts.database.write() as write:
            for run in runs.of_comparison(write.session, comparison):
                run.splits = {"train": 600, "validation": 200, "test": 200}
        return verdict(api, comparison)

    resplit, drawn = splits("digits"), splits("synthetic")
    assert resplit["replicates"] == {"kind": "split", "noun": "split", "n": 10, "said": "10 splits"}
    assert drawn["replicates"]["noun"] == "draw"
    assert "over 10 splits: " in resplit["summary"]
    assert "corrected for splits that share items" in resplit["rule"]
    assert (resplit["smallest_p"], resplit["to_halve"]["replicates"]) == (None, None)
    assert "an interval keeps at least" in resplit["to_halve"]["floor"]
    wide, narrow = (claims(found)[8]["evidence"][0] for found in (resplit, drawn))
    assert wide["interval"][0] < narrow["interval"][0]
    assert wide["p_value"] < 2 / 2**10  # that of the corrected t-test
    assert drawn["to_halve"] == {"replicates": 18, "floor": ""}  # draws are independent


def test_what_the_runs_were_made_with_and_the_share_that_pulls(api: Api, parts: Parts) -> None:
    def pulls(arm: str, seed: int) -> Curves:
        share = 0.5 if arm == "rank" else 0.1
        return {**curves(arm, seed), "dynamics.pull_share": per_epoch(None, *[share] * 10, swing=0)}

    comparison = scripted_comparison(parts.database, pulls, seeds=SEEDS)
    with parts.database.write() as write:
        for run in runs.of_comparison(write.session, comparison):
            if run.seed > 4:
                run.versions = {"engine": "0.6.0", "measures": "2"}
    caveats = verdict(api, comparison)["caveats"]
    assert caveats[0].startswith("The runs are of different engines (0.5 or older, 0.6.0): ")
    assert caveats[1].startswith("The runs are of different definitions of the measures (0.5 or")
    assert caveats[2].startswith(
        "The share of the loss's weight that pulls differs: 10.0% in pull and 50.0% in rank."
    )


def test_censored_decay_stands_as_reported(api: Api, parts: Parts) -> None:
    def slow(arm: str, seed: int) -> Curves:
        reached = 0.05 if arm == "pull" or seed else 0.4  # rank never at seed 0
        return {
            "dynamics.loss": per_epoch(1.0, *[0.5] * (5 if arm == "rank" else 2), *[reached] * 5)
        }

    found = claims(verdict(api, scripted_comparison(parts.database, slow, seeds=SEEDS[:5])))[5]
    assert (found["verdict"], found["as_reported"]["word"]) == ("not_measured", "undecided")
    found = claims(verdict(api, scripted_comparison(parts.database, slow, seeds=SEEDS[:6])))[5]
    [evidence] = found["reported_evidence"]
    assert (evidence["verdict"], evidence["interval"]) == ("supported", None)
    assert evidence["p_value"] == 0.03125
    assert (evidence["censored"], evidence["mean_a"], evidence["mean_b"]) == (1, 3, None)
    assert evidence["differences"] == [-3] * 5, "without the one that is known as a bound"
    assert evidence["mean_difference"] == pytest.approx(((3 - 10) + 5 * (3 - 6)) / 6)


@pytest.mark.parametrize("seeds", [1, 2])
def test_fewer_than_three_seeds_decide_nothing(api: Api, parts: Parts, seeds: int) -> None:
    found = verdict(api, scripted_comparison(parts.database, curves, seeds=SEEDS[:seeds]))
    assert set(words(found).values()) == {"undecided", "not_measured"}
    shown = claims(found)[1]
    assert (shown["n"], shown["interval"], shown["simultaneous"]) == (seeds, None, None)
    assert found["summary"].endswith(" Nothing can be decided yet: that takes 3 seeds or more.")
    noun = "seed" if seeds == 1 else "seeds"
    assert f"{seeds} {noun} cannot decide anything: at least 3 are needed." in found["caveats"]
    assert found["to_halve"] == {"replicates": None, "floor": ""}


def test_before_a_run_has_finished(api: Api) -> None:
    comparison = api.submit(arms=list(PAIR), seeds=[0, 1])
    found = verdict(api, comparison)
    assert (found["seeds"], found["smallest_p"], found["family"]) == (0, None, 0)
    assert found["arms"] == {"a": "pull", "b": "rank"}
    assert set(words(found).values()) == {"not_measured"}
    reason = "No seed has a finished run of both pull and rank yet."
    assert found["summary"] == found["claims"][0]["reason"] == reason
    assert (found["rule"], found["advice"]) == ("", "")
    assert found["caveats"][0] == "4 of 4 runs have not finished: the verdict may still change."


def test_seeds_at_which_a_run_is_missing_are_left_out(api: Api, parts: Parts) -> None:
    states = {("rank", 1): "failed", ("pull", 2): "cancelled", ("pull", 3): "running"}
    found = verdict(api, scripted_comparison(parts.database, curves, seeds=SEEDS, states=states))
    assert found["seeds"] == 7
    assert {c["n"] for c in found["claims"] if c["verdict"] != "not_measured"} == {7}
    assert found["summary"].startswith("Of nine claims, over 7 of 10 seeds on one split: ")
    assert found["caveats"][:2] == [
        "1 of 20 runs has not finished: the verdict may still change.",
        "Of 20 runs 1 failed and 1 cancelled: their seeds are left out of the comparison.",
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
    assert "margin (rank: 1.0, wide: 2.0)" in " ".join(found["caveats"])
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

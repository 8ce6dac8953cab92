"""The page of one comparison against a real HTTP server, through the entry page."""

from collections.abc import Iterator
from typing import Any

import pytest

from frontend.api.types import RunDetail
from frontend.comparison.tabs.dimensions import NEITHER, NO_DIMENSIONS
from frontend.comparison.tabs.sections import TAB_KEY, TITLES
from tests.support.api_peer import ApiPeer
from tests.support.comparison_page import (
    ID,
    charts_of,
    comparison,
    comparison_peer,
    html,
    infos,
    lay,
    opened,
)
from tests.support.ports import free_ports

SUMMARY: dict[str, Any] = {
    "baseline": "contrastive",
    "differs": [],
    "runs_finished": 6,
    "runs_total": 6,
    "metrics": [
        {
            "key": "test.retrieval.recall_at_1",
            "label": "Recall@1 (test)",
            "better": "higher",
            "arms": [
                {"arm": arm, "n": 3, "mean": mean, "sd": 0.01, "low": mean - 0.02}
                | {"high": mean + 0.02, "values": []}
                for arm, mean in (("contrastive", 0.9), ("triplet", 0.97))
            ],
        }
    ],
}


@pytest.fixture
def peer(monkeypatch: pytest.MonkeyPatch) -> Iterator[ApiPeer]:
    with comparison_peer(monkeypatch) as peer:
        yield peer


def test_a_finished_comparison_shows_its_facts_and_its_table(peer: ApiPeer) -> None:
    lay(peer, "succeeded", SUMMARY, succeeded=6)
    at = opened(tab="retrieval")
    assert not at.exception
    assert at.title[0].value == r"digits\: a look"
    page = html(at)
    for text in ("Small convnet, 64 dimensions", "Besides the loss nothing differs", "●", "0.97"):
        assert text in page
    assert "Results" in [header.value for header in at.header]
    keys = {button.key for button in at.button}
    assert "comparison_cancel" not in keys
    assert "comparison_retry" not in keys


def result(key: str, label: str) -> dict[str, Any]:
    return {**SUMMARY["metrics"][0], "key": f"test.{key}", "label": label}


MAP_AT_R = [result(f"dimension.{way}.map_at_r", way) for way in ("full", "truncated_8", "pca_8")]
AUC = result("verification.roc_auc", "ROC-AUC")


@pytest.mark.parametrize(
    ("found", "said"), [([], NEITHER), ([AUC], NO_DIMENSIONS), ([AUC, *MAP_AT_R], None)]
)
def test_verification_and_smaller_embeddings_are_shown_or_said_to_lack(
    peer: ApiPeer, found: list[dict[str, Any]], said: str | None
) -> None:
    lay(peer, "succeeded", {**SUMMARY, "metrics": [*SUMMARY["metrics"], *found]}, succeeded=6)
    at = opened(tab="retrieval")
    assert not at.exception
    assert "Smaller embeddings" in [header.value for header in at.subheader]
    captions = [caption.value for caption in at.caption]
    assert [text for text in captions if text in {NEITHER, NO_DIMENSIONS}] == [said] * bool(said)
    assert ("Verification of pairs" in html(at)) == bool(found)
    drawn = [chart["name"] for chart in charts_of(at)]
    assert ("MAP@R of smaller embeddings" in drawn) == (said is None)


@pytest.mark.parametrize("tab", [name for name in TITLES if name != "tuning"])
@pytest.mark.parametrize("state", ["queued", "cancelled"])
def test_no_tab_is_blank_before_anything_is_measured(peer: ApiPeer, tab: str, state: str) -> None:
    lay(peer, state, **{state: 6})
    at = opened(tab=tab)
    assert not at.exception
    assert TITLES[tab] == at.session_state[TAB_KEY]  # type: ignore[index]
    if tab in {"geometry", "retrieval"}:
        said = "comes before the first step" if state == "queued" else "kept a snapshot"
        assert said in infos(at)[0]
    if tab == "setup":
        assert "Settings of the arms" in [header.value for header in at.header]


def test_a_failed_run_tells_its_error_and_its_log(peer: ApiPeer) -> None:
    lay(peer, "failed", failed=1, succeeded=5)
    run = {
        "id": "r1",
        "comparison": ID,
        "arm": "triplet",
        "seed": 1,
        "state": "failed",
        "attempt": 2,
        "resumed_at": 5,
        "device": "cpu",
        "error": {"message": "the loss became nan", "cause": "Lower the rate.", "step": 7},
        "step": 7,
        "total_steps": 320,
    }
    fine = {**run, "id": "r0", "arm": "contrastive", "state": "succeeded", "error": None}
    peer.answers[f"GET /comparisons/{ID}/runs"] = {"runs": [fine, run]}
    peer.answers["GET /runs/r1/log"] = {"lines": [f"line {n}" for n in range(600)]}
    peer.answers["GET /runs/r0/log"] = {"lines": []}
    machine = dict.fromkeys(RunDetail.__required_keys__)
    used = {"seconds": 4.0, "cpu_seconds": 3.9, "memory_bytes": 10**9, "samples_per_s": 1234.5}
    peer.answers["GET /runs/r1"] = {**machine, **run}
    peer.answers["GET /runs/r0"] = {
        **machine,
        **fine,
        **{"environment": {"host": "gpu<1>", "python": "3.11", "torch": "2.13.0"}, "shared": 6},
        **{"usage": used, "versions": {"engine": "0.6.0"}, "splits": {"train": 1078, "test": 360}},
    }
    peer.answers["POST /runs/r1/retry"] = {**run, "state": "queued"}
    at = opened(tab="setup")
    assert not at.exception
    [error] = at.error
    assert error.value == "the loss became nan (step 7)\n\nLower the rate."
    facts = "".join(caption.value for caption in at.caption)
    assert "attempt 2, from the checkpoint of step 5" in facts
    assert "not recorded for runs of older versions" in facts
    [log] = [one.proto.body for one in at.get("html") if "aria-label='Log'" in one.proto.body]
    shown = log.partition(">")[2].removesuffix("</pre>").splitlines()
    assert (shown[0], shown[-1], len(shown)) == ("line 100", "line 599", 500)
    at.button(key="setup_retry").click().run()
    assert "POST /runs/r1/retry" in peer.calls
    at.selectbox(key=f"setup_run_{ID}").set_value("r0").run()
    assert not at.exception
    assert not at.error
    facts = "".join(caption.value for caption in at.caption)
    assert "No log messages" in facts
    assert (
        "1,234 samples/s in training · CPU 0.97 cores on average · 1.0 GB of memory at most"
        in facts
    )
    assert "with 5 other runs trained together" in facts
    for text in ("gpu&lt;1&gt;", "torch 2.13.0", "engine 0.6.0", "1,078 train, 360 test"):
        assert text in html(at)


def test_an_unknown_tab_is_the_first_one(peer: ApiPeer) -> None:
    lay(peer, "succeeded", SUMMARY, succeeded=6)
    at = opened(tab="nonsense")
    assert not at.exception
    assert at.session_state[TAB_KEY] == "Live"


def test_a_queued_comparison_can_be_cancelled(peer: ApiPeer) -> None:
    lay(peer, "queued", queued=6)
    peer.answers[f"POST /comparisons/{ID}/cancel"] = comparison("cancelled", cancelled=6)
    at = opened()
    assert not at.exception
    assert "Results" not in [header.value for header in at.header]
    at.button(key="comparison_cancel").click().run()
    assert not at.exception
    assert f"POST /comparisons/{ID}/cancel" in peer.calls


def test_failed_runs_can_be_tried_again(peer: ApiPeer) -> None:
    lay(peer, "failed", succeeded=4, failed=2)
    peer.answers[f"POST /comparisons/{ID}/retry"] = comparison("queued", queued=2)
    at = opened()
    retry = at.button(key="comparison_retry")
    assert retry.label == "Retry 2 runs"
    retry.click().run()
    assert not at.exception
    assert f"POST /comparisons/{ID}/retry" in peer.calls


def test_a_cancelled_search_goes_on_although_all_its_runs_had_succeeded(peer: ApiPeer) -> None:
    lay(peer, "cancelled", succeeded=6)
    retry = opened().button(key="comparison_retry")
    assert retry.label == "Resume the search"


@pytest.mark.parametrize("comparison_id", ["c9999999999", "", None])
def test_an_address_without_a_comparison_leads_on(peer: ApiPeer, comparison_id: str | None) -> None:
    at = opened(comparison_id)
    assert not at.exception
    assert at.title[0].value == "No such comparison"


def test_an_api_that_is_away_is_said_plainly(
    peer: ApiPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    [port] = free_ports(1)
    monkeypatch.setenv("LOSSBOARD_API_URL", f"http://127.0.0.1:{port}")
    at = opened()
    assert not at.exception
    assert at.title[0].value == "The comparison cannot be shown now"

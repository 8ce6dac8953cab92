"""The page of one comparison against a real HTTP server, through the entry page."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from contract.catalogue.catalogue import catalogue
from contract.catalogue.presets import DEMO
from contract.comparison.spec import parse_spec
from frontend.comparison.tabs.sections import TAB_KEY, TITLES
from tests.support.api_peer import ApiPeer, api_peer
from tests.support.ports import free_ports

MAIN = Path(__file__).parents[3] / "frontend" / "main.py"
ID = "c0123456789"


def comparison(state: str, **runs: int) -> dict[str, Any]:
    counts = dict.fromkeys(("queued", "running", "succeeded", "failed", "cancelled"), 0)
    spec = parse_spec(DEMO).model_dump(mode="json")
    return {
        "id": ID,
        "version": 1,
        "name": "digits: a look",
        "tags": ["demo"],
        "notes": "",
        "created_by": "",
        "archived": False,
        "created_at": "2026-11-23T14:05:00Z",
        "state": state,
        "progress": 0.5,
        "eta_s": 3.0,
        "runs": {**counts, **runs},
        "arms": ["contrastive", "triplet"],
        "seeds": [0, 1, 2],
        "data": "digits",
        "spec": spec,
    }


SUMMARY = {
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


def verdict(succeeded: int) -> dict[str, Any]:
    arms = {"a": "contrastive", "b": "triplet"}
    figures = dict.fromkeys(
        ("mean_a", "mean_b", "mean_difference", "interval", "p_value", "p_holm", "effect_size")
    )
    row = {"metric": "detail.recall_at_1", "label": "Detail retention", "expected": "less"}
    rest = {"n": 0, "censored": 0, "verdict": "not_measured"}
    claim = {
        "id": 9,
        "text": "Triplet retains more detail",
        "metric": "detail.recall_at_1",
        "arms": arms,
        **figures,
        "n": 0,
        "verdict": "not_measured",
        "reason": "The data have no fine labels.",
        "reported": [],
        "evidence": [{**row, **figures, **rest}],
    }
    return {
        "summary": "Of nine claims none is measured.",
        "advice": "Use either.",
        "arms": arms,
        "seeds": succeeded // 2,
        "smallest_p": None,
        "caveats": [],
        "claims": [claim],
    }


@pytest.fixture
def peer(monkeypatch: pytest.MonkeyPatch) -> Iterator[ApiPeer]:
    with api_peer() as peer:
        monkeypatch.setenv("LOSSBOARD_API_URL", peer.url)
        peer.answers["GET /catalogue"] = catalogue()
        peer.answers["GET /comparisons"] = {
            "comparisons": [],
            "total": 0,
            "page": 1,
            "page_size": 50,
        }
        st.cache_resource.clear()
        st.cache_data.clear()
        yield peer
        st.cache_resource.clear()
        st.cache_data.clear()


def lay(peer: ApiPeer, state: str, summary: Any = None, **runs: int) -> None:
    peer.answers[f"GET /comparisons/{ID}"] = comparison(state, **runs)
    empty = {"metrics": [], "runs_finished": 0, "runs_total": 6, "baseline": "a", "differs": []}
    succeeded = runs.get("succeeded", 0)
    peer.answers[f"GET /comparisons/{ID}/summary"] = summary or empty
    peer.answers[f"GET /comparisons/{ID}/verdict"] = verdict(succeeded)
    peer.answers[f"GET /comparisons/{ID}/space"] = {"samples": None, "seeds": [], "runs": []}
    peer.answers[f"GET /comparisons/{ID}/runs"] = {"runs": []}


def opened(comparison_id: str | None = ID, tab: str = "live") -> AppTest:
    at = AppTest.from_file(str(MAIN), default_timeout=90)
    at.query_params["tab"] = tab
    if comparison_id is not None:
        at.query_params["id"] = comparison_id
    return at.switch_page("app_pages/comparison.py").run()


def html(at: AppTest) -> str:
    return "".join(str(element.proto.body) for element in at.get("html"))


def test_a_finished_comparison_shows_its_facts_and_its_table(peer: ApiPeer) -> None:
    lay(peer, "succeeded", SUMMARY, succeeded=6)
    at = opened(tab="retrieval")
    assert not at.exception
    assert at.title[0].value == r"digits\: a look"
    page = html(at)
    for text in ("Small convnet, 64 dimensions", "Besides the loss nothing differs", "●", "0.97"):
        assert text in page
    assert "Results" in [header.value for header in at.subheader]
    keys = {button.key for button in at.button}
    assert "comparison_cancel" not in keys
    assert "comparison_retry" not in keys


def infos(at: AppTest) -> list[str]:
    return [info.value for info in at.info]


def test_the_verdict_is_shown_once_a_pair_of_runs_has_succeeded(peer: ApiPeer) -> None:
    lay(peer, "running", succeeded=2, running=4)
    at = opened(tab="verdict")
    assert not at.exception
    assert infos(at) == []
    for text in ("Use either.", "Triplet retains more detail", "Not measured"):
        assert text in html(at)

    lay(peer, "running", running=6)
    at = opened(tab="verdict")
    assert "The verdict comes once a seed of both arms has finished" in infos(at)[0]
    assert "Triplet retains more detail" not in html(at)


def test_two_arms_can_be_chosen_where_the_spec_has_no_such_pair(peer: ApiPeer) -> None:
    lay(peer, "succeeded", succeeded=6)
    none: dict[str, Any] = {"arms": None, "claims": [], "summary": "Pick two arms."}
    peer.answers[f"GET /comparisons/{ID}/verdict"] = {**verdict(0), **none}
    at = opened(tab="verdict")
    assert not at.exception
    assert infos(at) == ["Pick two arms."]
    at.selectbox(key="verdict_a").set_value("triplet").run()
    at.selectbox(key="verdict_b").set_value("contrastive").run()
    assert not at.exception
    assert (at.query_params["a"], at.query_params["b"]) == ("triplet", "contrastive")


@pytest.mark.parametrize("tab", TITLES)
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
        assert "Settings of the arms" in [header.value for header in at.subheader]


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
    peer.answers["POST /runs/r1/retry"] = {**run, "state": "queued"}
    at = opened(tab="setup")
    assert not at.exception
    [error] = at.error
    assert error.value == "the loss became nan (step 7)\n\nLower the rate."
    facts = "".join(caption.value for caption in at.caption)
    assert "attempt 2, from the checkpoint of step 5" in facts
    shown = at.code[0].value.splitlines()
    assert (shown[0], shown[-1], len(shown)) == ("line 100", "line 599", 500)
    at.button(key="setup_retry").click().run()
    assert "POST /runs/r1/retry" in peer.calls
    at.selectbox(key=f"setup_run_{ID}").set_value("r0").run()
    assert not at.exception
    assert not at.error
    assert "said nothing" in "".join(caption.value for caption in at.caption)


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
    assert "Results" not in [header.value for header in at.subheader]
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

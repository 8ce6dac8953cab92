"""The page of one comparison against a real HTTP server, through the real entry."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from contract.catalogue import catalogue
from contract.presets import DEMO
from contract.spec import parse_spec
from tests.support.api_peer import ApiPeer, api_peer
from tests.support.ports import free_ports

MAIN = Path(__file__).parents[2] / "frontend" / "main.py"
ID = "c0123456789"


def comparison(state: str, **runs: int) -> dict[str, Any]:
    counts = dict.fromkeys(("queued", "running", "succeeded", "failed", "cancelled"), 0)
    spec = parse_spec(DEMO).model_dump(mode="json")
    return {
        "id": ID,
        "name": "digits: a look",
        "tags": ["demo"],
        "notes": "",
        "created_by": "",
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
    empty = {"metrics": [], "runs_finished": 0, "runs_total": 6}
    peer.answers[f"GET /comparisons/{ID}/summary"] = summary or empty


def opened(comparison_id: str | None = ID) -> AppTest:
    at = AppTest.from_file(str(MAIN), default_timeout=30)
    if comparison_id is not None:
        at.query_params["id"] = comparison_id
    return at.switch_page("app_pages/comparison.py").run()


def html(at: AppTest) -> str:
    return "".join(str(element.proto.body) for element in at.get("html"))


def test_a_finished_comparison_shows_its_facts_and_its_table(peer: ApiPeer) -> None:
    lay(peer, "succeeded", SUMMARY, succeeded=6)
    at = opened()
    assert not at.exception
    assert at.title[0].value == "digits: a look"
    page = html(at)
    for text in ("Small convnet, 64 dimensions", "Besides the loss nothing differs", "●", "0.97"):
        assert text in page
    assert "Results" in [header.value for header in at.subheader]
    keys = {button.key for button in at.button}
    assert "comparison_cancel" not in keys
    assert "comparison_retry" not in keys


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

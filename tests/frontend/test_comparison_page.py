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
    assert at.title[0].value == r"digits\: a look"
    page = html(at)
    for text in ("Small convnet, 64 dimensions", "Besides the loss nothing differs", "●", "0.97"):
        assert text in page
    assert "Results" in [header.value for header in at.subheader]
    keys = {button.key for button in at.button}
    assert "comparison_cancel" not in keys
    assert "comparison_retry" not in keys


def test_the_verdict_stands_there_once_a_pair_of_runs_has_succeeded(peer: ApiPeer) -> None:
    lay(peer, "running", succeeded=2, running=4)
    at = opened()
    assert not at.exception
    assert "Verdict" in [header.value for header in at.subheader]
    assert "Triplet retains more detail" in html(at)
    assert "Not measured" in html(at)

    lay(peer, "running", running=6)
    assert "Verdict" not in [header.value for header in opened().subheader]


def test_two_arms_can_be_chosen_where_the_spec_has_no_such_pair(peer: ApiPeer) -> None:
    lay(peer, "succeeded", succeeded=6)
    none: dict[str, Any] = {"arms": None, "claims": [], "summary": "Pick two arms."}
    peer.answers[f"GET /comparisons/{ID}/verdict"] = {**verdict(0), **none}
    at = opened()
    assert not at.exception
    assert "Pick two arms." in [caption.value for caption in at.caption]
    at.selectbox(key="verdict_a").set_value("triplet").run()
    at.selectbox(key="verdict_b").set_value("contrastive").run()
    assert not at.exception
    assert (at.query_params["a"], at.query_params["b"]) == ("triplet", "contrastive")


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

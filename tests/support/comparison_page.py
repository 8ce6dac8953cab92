"""The page of one comparison as its tests open it: made-up answers, through the entry page."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import pytest
import streamlit as st
from streamlit.dataframe_util import convert_arrow_bytes_to_pandas_df
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Dataframe

from contract.catalogue.catalogue import catalogue
from contract.catalogue.presets import DEMO
from contract.comparison.spec import parse_spec
from tests.support.api_peer import ApiPeer, api_peer
from tests.support.models_shown import confusion
from tests.support.verdicts import claim, not_measured, verdict

MAIN = Path(__file__).parents[2] / "frontend" / "main.py"
ID = "c0123456789"
ARMS = {"a": "contrastive", "b": "triplet"}


def shown_texts(table: Dataframe, column: str) -> list[str]:
    """Return how the numbers of a column of a table are written on the page."""
    written = convert_arrow_bytes_to_pandas_df(table.proto.arrow_data.styler.display_values)
    return list(written.iloc[:, list(table.value.columns).index(column)])


def comparison(state: str, **runs: int) -> dict[str, Any]:
    """Return a comparison of two arms and three seeds in this state."""
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
        "phase": None,
        "progress": 0.5,
        "eta_s": 3.0,
        "runs": {**counts, **runs},
        "trial_runs": None,
        "arms": ["contrastive", "triplet"],
        "seeds": [0, 1, 2],
        "replicate": "seed",
        "replicate_noun": "seed",
        "data": "digits",
        "result": None,
        "spec": spec,
    }


def nothing_measured(seeds: int) -> dict[str, Any]:
    """Return a verdict in which so many seeds have finished without a value of claim 9."""
    row = not_measured(label="Detail retention", metric="detail.recall_at_1")
    made = claim(9, row, text="Triplet retains more detail", arms=ARMS)
    return verdict(made, advice="Use either.", arms=ARMS, seeds=seeds)


@contextmanager
def comparison_peer(monkeypatch: pytest.MonkeyPatch) -> Iterator[ApiPeer]:
    """Start an API of made-up answers that the pages ask."""
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
    """Prepare the answers on a comparison in this state, with so many runs in each."""
    peer.answers[f"GET /comparisons/{ID}"] = comparison(state, **runs)
    empty = {"metrics": [], "runs_finished": 0, "runs_total": 6, "baseline": "a", "differs": []}
    succeeded = runs.get("succeeded", 0)
    peer.answers[f"GET /comparisons/{ID}/summary"] = summary or empty
    peer.answers[f"GET /comparisons/{ID}/verdict"] = nothing_measured(succeeded // 2)
    peer.answers[f"GET /comparisons/{ID}/leaderboard"] = {
        **{"metrics": [], "advice": "", "tuned": None},
        **{"replicate": "seed", "replicate_noun": "seed"},
        **{"runs_finished": succeeded, "runs_total": sum(runs.values()), "runs_open": 0},
    }
    peer.answers[f"GET /comparisons/{ID}/space"] = {
        "samples": None,
        "shared": True,
        "seeds": [],
        "runs": [],
    }
    peer.answers[f"GET /comparisons/{ID}/runs"] = {"runs": []}
    peer.answers[f"GET /comparisons/{ID}/confusion"] = confusion(classes=[], items=[], seeds=[])


def opened(comparison_id: str | None = ID, tab: str = "live") -> AppTest:
    """Open the page at a tab."""
    at = AppTest.from_file(str(MAIN), default_timeout=90)
    at.query_params["tab"] = tab
    if comparison_id is not None:
        at.query_params["id"] = comparison_id
    return at.switch_page("app_pages/comparison.py").run()


def html(at: AppTest) -> str:
    """Return all HTML of a page."""
    return "".join(str(element.proto.body) for element in at.get("html"))


def infos(at: AppTest) -> list[str]:
    """Return the notes of a page."""
    return [info.value for info in at.info]


def charts_of(at: AppTest) -> list[dict[str, Any]]:
    """Return the data of the charts, in the page's order."""
    found = []
    for element in at.get("bidi_component"):
        proto = cast(Any, element).proto
        data = json.loads(proto.json)
        if "figure" in data:
            found.append({**data, "figure": json.loads(data["figure"])})
    return found

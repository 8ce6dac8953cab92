"""The tab Leaderboard on the page of a comparison, against a real HTTP server."""

from collections.abc import Iterator
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from tests.support.api_peer import ApiPeer
from tests.support.comparison_page import (
    ID,
    comparison_peer,
    html,
    infos,
    lay,
    opened,
    shown_texts,
)

EVIL = "<script>alert(1)</script>"


@pytest.fixture
def peer(monkeypatch: pytest.MonkeyPatch) -> Iterator[ApiPeer]:
    with comparison_peer(monkeypatch) as peer:
        yield peer


def metric(key: str, label: str, *means: float) -> dict[str, Any]:
    figures = {"n": 3, "sd": 0.01, "letters": "a", "state": "", "to_best": None, "rank": [1, 2]}
    ends = {"untrained": 0.2, "raw_backbone": None, "chance": None}
    return {
        **{"key": key, "label": label, "better": "higher", "best": ["triplet"], "pairs": 1},
        **{"not_told_apart": [], "groups": [], "said": f"Best by {label} {EVIL}.", **ends},
        "practical": 0.01,
        "arms": [
            {"arm": arm, "mean": mean, "low": mean - 0.02, "high": mean + 0.02, **figures}
            | {"values": [{"seed": seed, "value": mean} for seed in range(3)]}
            for arm, mean in zip(("contrastive", "triplet"), means, strict=True)
        ],
    }


MAP = metric("test.retrieval.map_at_r", "MAP@R (test)", 0.8, 0.9)
DETAIL = metric("test.detail.recall_at_1", "Detail retention (test)", 0.6, 0.5)


def shown(peer: ApiPeer, state: str = "succeeded", **changes: Any) -> AppTest:
    lay(peer, state, succeeded=6)
    found = peer.answers[f"GET /comparisons/{ID}/leaderboard"]
    peer.answers[f"GET /comparisons/{ID}/leaderboard"] = {**found, **changes}
    at = opened(tab="leaderboard")
    assert not at.exception
    return at


def test_it_shows_the_advice_the_main_metric_and_the_table(peer: ApiPeer) -> None:
    at = shown(peer, metrics=[MAP, DETAIL], advice=f"Use {EVIL}.")
    page = html(at)
    assert "Use &lt;script&gt;" in page
    assert "Best by MAP@R (test) &lt;script&gt;" in page
    assert EVIL not in page
    [table] = at.dataframe
    assert list(table.value["Arm"]) == ["triplet", "contrastive"]
    assert list(table.value["Rank"]) == ["1–2", "1–2"]
    assert shown_texts(table, "Mean") == ["0.900", "0.800"]
    assert not infos(at)
    assert "untrained network" in at.caption[-1].value


def test_another_metric_is_chosen_and_kept_in_the_address(peer: ApiPeer) -> None:
    at = shown(peer, metrics=[MAP, DETAIL])
    at.pills(key="leaderboard_metric").set_value(DETAIL["key"]).run()
    assert not at.exception
    assert list(at.dataframe[0].value["Arm"]) == ["contrastive", "triplet"]
    assert at.query_params["metric"] == DETAIL["key"]


def test_runs_that_are_missing_are_told(peer: ApiPeer) -> None:
    at = shown(peer, metrics=[MAP], runs_total=8, runs_open=2)
    assert infos(at)[0].startswith("2 of 8 runs are not finished: ranks may still change.")


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("running", "The leaderboard appears when the first runs finish"),
        ("failed", "No run has measured the test split, so there is nothing to rank."),
    ],
)
def test_before_anything_is_measured_it_says_why(peer: ApiPeer, state: str, said: str) -> None:
    at = shown(peer, state)
    assert infos(at)[0].startswith(said)
    assert not at.dataframe


def test_an_api_that_cannot_answer_is_told_with_a_button(peer: ApiPeer) -> None:
    lay(peer, "succeeded", succeeded=6)
    del peer.answers[f"GET /comparisons/{ID}/leaderboard"]
    at = opened(tab="leaderboard")
    assert at.error[0].value.startswith("The leaderboard cannot be read now: ")
    assert "leaderboard_again" in {button.key for button in at.button}

"""The tab Tuning on the page of a comparison, against a real HTTP server."""

from collections.abc import Iterator
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from frontend.comparison.tabs.sections import TAB_KEY
from tests.support.api_peer import ApiPeer
from tests.support.comparison_page import ID, comparison_peer, html, infos, lay, opened
from tests.support.searches import search, searched

EVIL = "<script>alert(1)</script>"


@pytest.fixture
def peer(monkeypatch: pytest.MonkeyPatch) -> Iterator[ApiPeer]:
    with comparison_peer(monkeypatch) as peer:
        yield peer


def shown(peer: ApiPeer, found: Any, state: str = "succeeded") -> AppTest:
    """The tab of a comparison that is tuned."""
    lay(peer, state, succeeded=6)
    at_search = found["phase"] == "search"
    own = peer.answers[f"GET /comparisons/{ID}"]
    own["spec"]["tuning"] = found["tuning"]
    own |= {
        "phase": "search" if at_search else "final",
        "trial_runs": {"queued": 3, "running": 1, "succeeded": 8, "failed": 0, "cancelled": 0},
    }
    peer.answers[f"GET /comparisons/{ID}/tuning"] = found
    along = {"path": "loss.margin", "log": True, "arms": []}
    peer.answers[f"GET /comparisons/{ID}/tuning/sensitivity"] = along
    at = opened(tab="tuning")
    assert not at.exception
    assert at.session_state[TAB_KEY] == "Tuning"
    return at


def test_a_search_that_stands_still_says_why(peer: ApiPeer) -> None:
    found = {**search(phase="search"), "problem": "its next step failed: _x_"}
    [error] = shown(peer, found, "running").error
    assert error.value == r"The search has stopped: its next step failed\: \_x\_"


def test_a_finished_search_shows_best_settings_and_every_trial(peer: ApiPeer) -> None:
    at = shown(peer, search())
    assert not infos(at)
    assert not at.error
    page = html(at)
    assert "<b>0.9000</b><small>trial 2</small>" in page
    assert "<b>0.2</b><small>0.02 to 2 (log)</small>" in page
    assert "6 of 6<small>1 failed</small>" in page
    [table] = at.dataframe
    rows = table.value
    assert list(rows["Trial"]) == [*range(6), *range(6)]
    assert list(rows[""])[:3] == ["as written", "", "best"]
    assert list(rows["State"])[4] == "✕ failed"
    captions = " ".join(caption.value for caption in at.caption)
    captions = captions.replace("\\", "").replace(":small[]", "")
    assert "6 trials for every arm, random draws; judged by MAP@R on validation data" in captions
    assert "cannot be read now" not in captions


def test_before_the_first_complete_trial_it_says_what_comes(peer: ApiPeer) -> None:
    arms = [searched(name, [], waiting=6) for name in ("contrastive", "triplet")]
    at = shown(peer, search("search", arms), "running")
    assert infos(at)[0].startswith("0 of 12 trials are done. Values appear once")
    assert len(at.dataframe[0].value) == 12


def test_a_search_that_goes_on_says_how_far_it_is(peer: ApiPeer) -> None:
    arms = [searched(name, [0.5, 0.6, None], waiting=3) for name in ("contrastive", "triplet")]
    at = shown(peer, search("search", arms), "running")
    assert infos(at)[0].startswith("6 of 12 trials are done; these results may still change.")


def test_an_arm_whose_trials_all_failed_says_why(peer: ApiPeer) -> None:
    lost = searched("contrastive", [None, None], problem=f"all 2 trials failed: {EVIL}")
    at = shown(peer, search("done", [lost, searched("triplet", [0.5, 0.6])]))
    [error] = at.error
    assert error.value.startswith("**contrastive**: all 2 trials failed")
    assert EVIL not in html(at)


def test_every_tab_says_why_an_arm_has_no_final_runs(peer: ApiPeer) -> None:
    lost = searched("contrastive", [None, None], problem="all 2 trials failed")
    shown(peer, search("done", [lost, searched("triplet", [0.5, 0.6])]))
    own = peer.answers[f"GET /comparisons/{ID}"]
    own["runs"] = {**own["trial_runs"], "succeeded": 14}  # 8 of trials and 6 final ones
    assert not opened(tab="setup").error
    own["runs"] = {**own["trial_runs"], "succeeded": 11}
    [error] = opened(tab="setup").error
    assert error.value.startswith("**contrastive**: all 2 trials failed")


def test_only_a_comparison_that_is_tuned_has_the_tab(peer: ApiPeer) -> None:
    lay(peer, "succeeded", succeeded=6)
    at = opened(tab="tuning")
    assert not at.exception
    assert at.session_state[TAB_KEY] == "Live"
    assert "Tuning" not in [tab.label for tab in at.tabs]


def test_an_api_that_cannot_answer_is_told_with_a_button(peer: ApiPeer) -> None:
    lay(peer, "succeeded", succeeded=6)
    peer.answers[f"GET /comparisons/{ID}"] |= {"phase": "final"}
    at = opened(tab="tuning")
    assert not at.exception
    assert at.error[0].value.startswith("The search cannot be read now: ")
    assert "tuning_again" in {button.key for button in at.button}

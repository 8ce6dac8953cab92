"""The tab Verdict on the page of a comparison, against a real HTTP server."""

from collections.abc import Iterator
from typing import Any

import pytest

from frontend.comparison.tabs import verdict as tab
from tests.support.api_peer import ApiPeer
from tests.support.comparison_page import (
    ARMS,
    ID,
    comparison,
    comparison_peer,
    html,
    infos,
    lay,
    nothing_measured,
    opened,
)
from tests.support.verdicts import claim, evidence, verdict

SEEDS = f"POST /comparisons/{ID}/seeds"
ADD = "verdict_more_add"


@pytest.fixture
def peer(monkeypatch: pytest.MonkeyPatch) -> Iterator[ApiPeer]:
    with comparison_peer(monkeypatch) as peer:
        yield peer


def lay_verdict(peer: ApiPeer, **changes: Any) -> None:
    """Prepare a finished comparison with one judged claim."""
    lay(peer, "succeeded", succeeded=6)
    made = verdict(claim(8, evidence(), arms=ARMS), arms=ARMS, **changes)
    peer.answers[f"GET /comparisons/{ID}/verdict"] = made


def test_it_is_shown_once_a_pair_of_runs_has_succeeded_and_may_still_change(peer: ApiPeer) -> None:
    lay(peer, "running", succeeded=2, running=4)
    at = opened(tab="verdict")
    assert not at.exception
    assert infos(at) == ["4 of 6 runs are not finished: this verdict may still change."]
    for text in ("Use either.", "Triplet retains more detail", "Not measured", "Over 10 seeds"):
        assert text in html(at)
    assert ADD not in {button.key for button in at.button}, "more seeds are under way"

    lay(peer, "running", running=6)
    at = opened(tab="verdict")
    assert "The verdict appears once a seed has finished in both arms" in infos(at)[0]
    assert "Triplet retains more detail" not in html(at)


def test_two_arms_can_be_chosen_where_the_spec_has_no_such_pair(peer: ApiPeer) -> None:
    lay(peer, "succeeded", succeeded=6)
    none: dict[str, Any] = {"arms": None, "claims": [], "summary": "Pick two arms."}
    peer.answers[f"GET /comparisons/{ID}/verdict"] = {**nothing_measured(0), **none}
    at = opened(tab="verdict")
    assert not at.exception
    assert infos(at) == [r"Pick two arms\."]
    at.selectbox(key="verdict_a").set_value("triplet").run()
    at.selectbox(key="verdict_b").set_value("contrastive").run()
    assert not at.exception
    assert (at.query_params["a"], at.query_params["b"]) == ("triplet", "contrastive")


def test_one_arm_has_no_verdict(peer: ApiPeer) -> None:
    lay(peer, "succeeded", succeeded=3)
    peer.answers[f"GET /comparisons/{ID}"]["arms"] = ["contrastive"]
    at = opened(tab="verdict")
    assert not at.exception
    assert "A verdict needs two arms" in infos(at)[0]


def test_without_a_finished_seed_it_says_why(peer: ApiPeer) -> None:
    lay(peer, "failed", failed=4, cancelled=2)
    at = opened(tab="verdict")
    assert not at.exception
    assert "Of 6 runs 4 failed and 2 cancelled." in infos(at)[0]
    assert "data-claim" not in html(at)


def test_a_verdict_that_cannot_be_read_can_be_asked_for_again(peer: ApiPeer) -> None:
    lay_verdict(peer)
    made = peer.answers.pop(f"GET /comparisons/{ID}/verdict")
    at = opened(tab="verdict")
    assert not at.exception
    assert "The verdict cannot be read now" in at.error[0].value
    peer.answers[f"GET /comparisons/{ID}/verdict"] = made
    at.button(key="verdict_again").click().run()
    assert not at.error
    assert "data-claim='8'" in html(at)


def test_the_button_adds_the_seeds_that_would_halve_the_intervals(peer: ApiPeer) -> None:
    lay_verdict(peer, to_halve={"replicates": 9, "floor": ""})
    peer.answers[SEEDS] = comparison("queued", succeeded=6, queued=18)
    at = opened(tab="verdict")
    shown = [text.value for text in at.markdown]
    assert r"9 more seeds would halve these intervals\." in shown
    assert "**18 runs** join the queue: 9 seeds in 2 arms, seeds 3-11." in shown
    assert SEEDS not in peer.calls
    at.button(key=ADD).click().run()
    assert not at.exception
    assert peer.bodies[SEEDS] == {"seeds": list(range(3, 12))}


def test_a_refusal_of_more_seeds_is_shown(peer: ApiPeer) -> None:
    lay_verdict(peer)
    at = opened(tab="verdict")
    at.button(key=ADD).click().run()
    assert at.error[0].value.startswith("There is no POST")


def test_more_seeds_than_a_comparison_holds_are_cut_and_said_so(peer: ApiPeer) -> None:
    lay_verdict(peer, to_halve={"replicates": 500, "floor": ""})
    at = opened(tab="verdict")
    assert any("a comparison holds 100 at most" in text.value for text in at.caption)


def test_splits_of_shared_data_have_their_floor_and_no_button(peer: ApiPeer) -> None:
    lay_verdict(peer, to_halve={"replicates": None, "floor": "They share their items."})
    at = opened(tab="verdict")
    assert r"They share their items\." in [text.value for text in at.markdown]
    assert ADD not in {button.key for button in at.button}


def test_a_viewer_has_no_button(peer: ApiPeer, monkeypatch: pytest.MonkeyPatch) -> None:
    lay_verdict(peer)
    monkeypatch.setattr(tab, "role_refusal", "This needs the role {}.".format)
    at = opened(tab="verdict")
    assert not at.exception
    assert r"30 more seeds would halve these intervals\." in [text.value for text in at.markdown]
    assert ADD not in {button.key for button in at.button}

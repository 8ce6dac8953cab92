"""Submitting comparisons that are tuned: wrong spaces are named, and the stored spec says all."""

from typing import Any

import httpx
import pytest

from contract.comparison.spec import parse_spec
from contract.tuning.spaces import as_json, space_of
from tests.backend.helpers import check_error
from tests.support.specs import small

URL = "/api/v1/comparisons"
ARMS: list[dict[str, Any]] = [
    {"name": "contrastive", "loss": {"kind": "contrastive"}},
    {"name": "triplet", "loss": {"kind": "triplet"}},
]


def refused(client: httpx.Client, spec: dict[str, Any]) -> dict[str, str]:
    """Path -> message."""
    body = check_error(client.post(URL, json=spec), 422, "invalid_spec")
    return {field["path"]: field["message"] for field in body["fields"]}


def test_every_bad_path_and_bound_of_every_arm_is_named_at_once(client: httpx.Client) -> None:
    searches = [
        {
            "loss.margin": {"low": 2, "high": 1},
            "loss.scale": {"low": 1, "high": 2},
            "loss.positive_margin": {"low": -1, "high": 0.5},
            "training.optimizer.lr": {"low": 0, "high": 1, "log": True},
        },
        {
            "loss.margin": {"choices": []},
            "loss.selection": {"choices": ["all", "none"]},
            "training.epochs": {"low": 1.5, "high": 3},
            "encoder.embedding_dim": {"choices": [16, 32]},
            "speed": 3,
        },
    ]
    arms = [{**arm, "search": search} for arm, search in zip(ARMS, searches, strict=True)]
    tuning = {"objective": "test.retrieval.map_at_r", "trial_seeds": [0], "trials": 0}
    found = refused(client, small(arms=arms, tuning=tuning, colour="red"))
    first, second = "arms[0].search", "arms[1].search"
    assert set(found) == {
        "colour",
        "tuning.trials",
        "tuning.objective",
        "tuning.trial_seeds[0]",
        f"{first}.loss.margin",
        f"{first}.loss.scale",
        f"{first}.loss.positive_margin.low",
        f"{first}.training.optimizer.lr",
        f"{second}.loss.margin.choices",
        f"{second}.loss.selection.choices[1]",
        f"{second}.training.epochs.low",
        f"{second}.encoder.embedding_dim",
        f"{second}.speed",
    }


def test_objective_seeds_and_replication_are_checked_too(client: httpx.Client) -> None:
    tuning = {"objective": "detail.recall_at_1", "trial_seeds": [0, 7], "folds": 2}
    found = refused(client, small(arms=ARMS, tuning=tuning, replicate="split"))
    assert set(found) == {"tuning.objective", "tuning.trial_seeds[0]", "replicate"}


def test_a_budget_beyond_the_limit_is_told_with_all_other_problems(client: httpx.Client) -> None:
    arms = [{**ARMS[0], "search": {"loss.scale": {"low": 1, "high": 2}}}, ARMS[1]]
    tuning = {"trials": 500, "folds": 4, "objective": "detail.recall_at_1"}
    found = refused(client, small(arms=arms, tuning=tuning, colour="red"))
    assert set(found) == {
        *("colour", "tuning.trials", "tuning.objective", "arms[0].search.loss.scale")
    }
    assert "2 arms x 500 trials x 4 folds + 2 x 1 seed = 4,002 runs" in found["tuning.trials"]
    fits = {"trials": 499, "folds": 2}
    assert set(refused(client, small(arms=arms, tuning=fits))) == {"arms[0].search.loss.scale"}


def test_a_search_without_tuning_and_a_trial_are_refused(client: httpx.Client) -> None:
    arms = [{**ARMS[1], "search": {"loss.margin": {"low": 0.1, "high": 1}}}]
    trial = {"objective": "retrieval.map_at_r"}
    assert set(refused(client, small(arms=arms, trial=trial))) == {"arms[0].search", "trial"}


@pytest.mark.parametrize("tuning", [None, {"trials": 3}])
def test_arms_without_a_space_get_that_of_their_loss_where_they_are_tuned(
    client: httpx.Client, tuning: dict[str, Any] | None
) -> None:
    own = {"loss.margin": {"low": 0.1, "high": 1.0, "log": False}}
    given = [ARMS[0], {**ARMS[1], "search": own if tuning else {}}]
    made = client.post(URL, json=small(arms=given, tuning=tuning))
    assert made.status_code == 201, made.text
    stored = client.get(f"{URL}/{made.json()['id']}").json()["spec"]
    spec = parse_spec(stored)
    ready = as_json(space_of(spec.arms[0], spec.training, spec.data)) if tuning else {}
    assert stored["arms"][0]["search"] == ready
    assert stored["arms"][1]["search"] == (own if tuning else {})

"""Losses that a worker brings, on the page of a new comparison, against a real API."""

import httpx

from tests.backend.helpers import TOKEN
from tests.support.form_page import opened, press, run, said, stored
from tests.support.plugin_entries import KNOWN

ARM = "new.arms.0.loss"


def test_a_loss_from_outside_is_chosen_set_marked_and_started(http: httpx.Client) -> None:
    entries = [one.model_dump(mode="json") for one in KNOWN.values()]
    report = {"worker": "w1", "plugins": entries}
    headers = {"Authorization": f"Bearer {TOKEN}"}
    answer = http.post("/api/v1/internal/plugins", json=report, headers=headers)
    assert answer.status_code == 204
    at = opened(http)
    kind = at.selectbox(key=f"{ARM}.kind")
    assert kind.options[-2:] == ["ProxyAnchorLoss (pml)", "Siglip"]
    kind.set_value("pml.ProxyAnchorLoss")
    run(at)
    assert at.number_input(key=f"{ARM}.params.margin").value == 0.1
    miner = at.selectbox(key=f"{ARM}.miner.kind")
    assert miner.value == "none"
    miner.set_value("MultiSimilarityMiner")
    run(at)
    at.number_input(key=f"{ARM}.miner.params.epsilon").set_value(0.3)
    at.selectbox(key="new.arms.1.loss.kind").set_value("siglip")
    run(at)
    assert "arXiv 2303.15343" in said(at)
    at.number_input(key="new.arms.1.loss.params.temperature").set_value(0.0)
    press(at, "new_start")
    assert "must be above 0; got 0" in said(at), "the API's answer stands at the field"
    at.number_input(key="new.arms.1.loss.params.temperature").set_value(0.5)
    press(at, "new_start")
    [spec] = stored(http)
    first, second = (one["loss"] for one in spec["arms"])
    assert first == {
        "kind": "plugin",
        "name": "pml.ProxyAnchorLoss",
        "params": {"margin": 0.1},
        "miner": {"name": "MultiSimilarityMiner", "params": {"epsilon": 0.3}},
        "distance": None,
    }
    assert (second["name"], second["params"]["temperature"]) == ("siglip", 0.5)

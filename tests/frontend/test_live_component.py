import json

from contract.catalogue import catalogue
from contract.metrics import METRICS
from frontend.live.component import GROUPS, live_data


def data(**changes: object) -> dict[str, object]:
    settings: dict[str, object] = {"comparison_id": "c1", "arms": ["a", "b"], "is_open": True}
    return live_data(**{**settings, **changes}, metrics=catalogue()["metrics"])  # type: ignore[arg-type]


def test_every_panel_shows_a_metric_of_the_catalogue() -> None:
    keys = [key for _, group in GROUPS for key in group]
    assert len(keys) == 9
    assert set(keys) <= set(METRICS)


def test_a_panel_is_told_what_the_catalogue_says_of_its_metric() -> None:
    groups = data()["groups"]
    assert isinstance(groups, list)
    panel = groups[0]["metrics"][0]
    assert panel["label"] == METRICS["dynamics.loss"].label
    assert panel["meaning"] == METRICS["dynamics.loss"].meaning
    assert panel["better"] == METRICS["dynamics.loss"].better
    assert panel["per_step"] is True
    assert panel["log"] is True
    assert groups[2]["metrics"][0]["log"] is False


def test_equal_calls_give_equal_data_so_that_a_rerun_changes_nothing() -> None:
    assert json.dumps(data()) == json.dumps(data())
    assert data() != data(is_open=False)


def test_a_metric_that_the_catalogue_lacks_is_left_out() -> None:
    told = live_data(comparison_id="c1", arms=["a"], is_open=False, metrics=[])
    assert [group["metrics"] for group in told["groups"]] == [[], [], []]

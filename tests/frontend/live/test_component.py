import json

from contract.catalogue.catalogue import catalogue
from contract.metrics import METRICS
from frontend.live.component import PANEL_GROUPS, live_data


def data(**changes: object) -> dict[str, object]:
    settings: dict[str, object] = {
        "comparison_id": "c1",
        "tab": "live",
        "arms": ["a", "b"],
        "is_open": True,
    }
    return live_data(**{**settings, **changes}, metrics=catalogue()["metrics"])  # type: ignore[arg-type]


def test_every_panel_shows_a_metric_of_the_catalogue() -> None:
    keys = [key for group in PANEL_GROUPS for key in group.keys]
    assert len(keys) == 19 + 12 + 11
    assert set(keys) <= set(METRICS)


def test_a_panel_gets_the_catalogues_texts_of_its_metric() -> None:
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
    told = live_data(comparison_id="c1", tab="live", arms=["a"], is_open=False, metrics=[])
    assert [group["metrics"] for group in told["groups"]] == [[], [], []]


def test_detail_is_left_out_where_the_data_have_no_fine_labels() -> None:
    def keys(fine_labels: bool) -> set[str]:
        groups = data(fine_labels=fine_labels)["groups"]
        assert isinstance(groups, list)
        return {panel["key"] for group in groups for panel in group["metrics"]}

    assert keys(fine_labels=True) - keys(fine_labels=False) == {"detail.recall_at_1"}


def keys_of(**changes: object) -> list[list[str]]:
    groups = data(**changes)["groups"]
    assert isinstance(groups, list)
    return [[panel["key"] for panel in group["metrics"]] for group in groups]


def test_two_modalities_have_panels_of_retrieval_across_and_of_each_ones_geometry() -> None:
    alone, both = keys_of(), keys_of(two_modalities=True)
    across = [list(group.keys) for group in PANEL_GROUPS if group.across]
    assert len(across) == 2
    assert [group for group in both if group not in alone] == across


def test_every_group_is_in_a_tab_and_the_dynamics_in_the_first() -> None:
    groups = data()["groups"]
    assert isinstance(groups, list)
    assert [group["tab"] for group in groups] == ["live", "geometry", "retrieval"]
    assert data(tab="geometry")["tab"] == "geometry"


def test_there_is_no_linear_probe_of_classes_that_did_not_train() -> None:
    left_out = {key for group in keys_of() for key in group} - {
        key for group in keys_of(class_disjoint=True) for key in group
    }
    assert left_out == {"classification.linear_probe_accuracy"}


def test_the_gradient_norm_names_the_reduction_of_its_loss() -> None:
    groups = data(reductions="mean (a), sum (b)")["groups"]
    assert isinstance(groups, list)
    meanings = {panel["key"]: panel["meaning"] for group in groups for panel in group["metrics"]}
    assert meanings["dynamics.gradient_norm"].startswith("Reduction: mean (a), sum (b). Global")
    assert "Reduction: " not in meanings["dynamics.loss"]


def test_one_run_of_a_trial_is_shown_with_the_colour_of_its_arm() -> None:
    told = data(run="r7", run_arm="b")
    assert told["run"] == "r7"
    assert told["arms"] == [data()["arms"][1]]  # type: ignore[index]
    assert data()["run"] == ""


def test_a_search_is_told_to_the_component() -> None:
    assert [data()["searching"], data(searching=True)["searching"]] == [False, True]

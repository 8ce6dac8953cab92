from typing import Any

import pytest

from frontend.comparison.results_table import result_sections


def row(arm: str, mean: float | None, **more: Any) -> dict[str, Any]:
    base: dict[str, Any] = {"n": 3, "sd": 0.01, "low": None, "high": None, "values": []}
    return {"arm": arm, "mean": mean, **base, **more}


def summary(better: str | None, *arms: dict[str, Any], key: str = "retrieval.recall_at_1") -> Any:
    return {"metrics": [{"key": key, "label": "Recall@1", "better": better, "arms": list(arms)}]}


def marks(data: Any) -> list[str]:
    [section] = result_sections(data, ["a", "b"])
    [line] = section.lines
    return [cell.mark if cell else "-" for cell in line.cells]


@pytest.mark.parametrize(
    ("better", "expected"), [("higher", ["", "best"]), ("lower", ["best", ""]), (None, ["", ""])]
)
def test_the_best_is_marked_in_the_metrics_direction(
    better: str | None, expected: list[str]
) -> None:
    one = row("a", 0.5, low=0.4, high=0.6)
    other = row("b", 0.8, low=0.7, high=0.9)
    assert marks(summary(better, one, other)) == expected


def test_intervals_that_meet_do_not_tell_arms_apart() -> None:
    one = row("a", 0.5, low=0.4, high=0.75)
    other = row("b", 0.8, low=0.7, high=0.9)
    assert marks(summary("higher", one, other)) == ["", "ahead"]


def test_one_seed_tells_nothing_apart() -> None:
    alone = {"n": 1, "sd": None}
    data = summary("higher", row("a", 0.5, **alone), row("b", 0.8, **alone))
    assert marks(data) == ["", "ahead"]
    cell = result_sections(data, ["a", "b"])[0].lines[0].cells[0]
    assert cell is not None
    assert (cell.mean, cell.spread, cell.interval, cell.count) == ("0.5000", "", "", 1)


def test_equal_means_and_single_arms_are_not_marked() -> None:
    assert marks(summary("higher", row("a", 0.5), row("b", 0.5))) == ["", ""]
    assert marks(summary("higher", row("a", 0.5), row("b", None))) == ["", "-"]


def test_the_test_split_comes_first_and_empty_lines_are_left_out() -> None:
    metrics = [
        summary("lower", row("a", 1.0), key="dynamics.loss")["metrics"][0],
        summary("higher", row("a", 1.0))["metrics"][0],
        summary("higher", key="retrieval.map_at_r")["metrics"][0],
        summary("higher", row("a", 1.0), key="test.retrieval.recall_at_1")["metrics"][0],
    ]
    found = result_sections({"metrics": metrics}, ["a", "b"])
    assert [[line.key for line in section.lines] for section in found] == [
        ["test.retrieval.recall_at_1"],
        ["retrieval.recall_at_1"],
        ["dynamics.loss"],
    ]


def test_the_test_split_at_the_last_epoch_has_a_section_of_its_own() -> None:
    keys = ["recall_at_1", "map_at_r"]
    labels = {"test.": " (test)", "test.last.": " (test, last epoch)"}
    metrics = [
        {**row_of, "label": f"{key}{suffix}"}
        for prefix, suffix in labels.items()
        for key in keys
        for row_of in summary("higher", row("a", 1.0), key=f"{prefix}retrieval.{key}")["metrics"]
    ]
    found = result_sections({"metrics": metrics}, ["a", "b"])
    assert [(section.title, [line.key for line in section.lines]) for section in found] == [
        (
            "Test split, at the best validation epoch",
            ["test.retrieval.recall_at_1", "test.retrieval.map_at_r"],
        ),
        (
            "Test split, at the last epoch",
            ["test.last.retrieval.recall_at_1", "test.last.retrieval.map_at_r"],
        ),
    ]
    for section in found:
        assert [line.label for line in section.lines] == keys
        assert {line.family for line in section.lines} == {"Retrieval"}


def difference(mean: float, interval: list[float] | None) -> dict[str, Any]:
    figures = {"mean_difference": mean, "interval": interval, "p_value": 0.25, "smallest_p": 0.25}
    return {"a": "a", "b": "b", "n": 3, "effect_size": 1.0, **figures}


def test_two_arms_have_a_difference_and_more_have_none() -> None:
    data = summary("higher", row("a", 0.5), row("b", 0.6))
    data["metrics"][0]["differences"] = [difference(0.1, [0.05, 0.15])]
    [section] = result_sections(data, ["a", "b"])
    cell = section.lines[0].difference
    assert cell is not None
    assert (cell.mean, cell.interval, cell.count) == ("+0.100", "+0.050 … +0.150", 3)
    assert cell.note == "p = 0.25, least possible 0.25"
    data["metrics"][0]["differences"] = [difference(0.1, None) | {"p_value": 1, "smallest_p": 1}]
    single = result_sections(data, ["a", "b"])[0].lines[0].difference
    assert single is not None
    assert single.note == "one seed decides nothing"
    data["metrics"][0]["differences"] = [difference(0.1, None) | {"smallest_p": 0.0}]
    corrected = result_sections(data, ["a", "b"])[0].lines[0].difference
    assert corrected is not None
    assert (corrected.interval, corrected.note) == ("", "p = 0.25")
    assert section.has_differences
    assert not result_sections(data, ["a", "b", "c"])[0].has_differences


def test_the_untrained_encoder_has_a_column() -> None:
    data = summary("higher", row("a", 0.9, untrained=0.4), row("b", 0.8, untrained=0.4))
    [section] = result_sections(data, ["a", "b"])
    assert section.has_untrained
    assert section.lines[0].untrained == "0.400"


def test_a_value_that_was_not_reached_is_shown_as_more_than_its_bound() -> None:
    values = [{"seed": 0, "value": 3.0, "step": 9, "censored": False}]
    values += [{"seed": seed, "value": 50.0, "step": 9, "censored": True} for seed in (1, 2)]
    key = "dynamics.loss_decay_epochs"
    data = summary(None, row("a", None, censored=2, values=values), row("b", 4.0), key=key)
    [section] = result_sections(data, ["a", "b"], [key])
    assert section.title == "Training, whole run"
    cell = section.lines[0].cells[0]
    assert cell is not None
    assert (cell.mean, cell.note, cell.mark) == ("> 50", "not reached in 2", "")


def test_metrics_are_under_the_heading_of_their_family() -> None:
    keys = ("test.geometry.hubness", "clustering.ami", "detail.recall_at_1", "dynamics.loss")
    lines = [
        result_sections(summary(None, row("a", 1.0), key=key), ["a"])[0].lines[0] for key in keys
    ]
    assert [line.family for line in lines] == ["Geometry", "Clustering", "Detail", ""]


def test_two_modalities_have_families_of_their_own_side_by_side() -> None:
    keys = {
        "audio.geometry.hubness": "Geometry of the audio items",
        "retrieval.recall_at_1": "Retrieval",
        "retrieval.audio_to_visual.map": "Cross-modal retrieval",
        "visual.geometry.hubness": "Geometry of the visual items",
        "test.retrieval.visual_to_audio.recall_at_1": "Cross-modal retrieval",
        "geometry.hubness": "Geometry",
        "retrieval.visual_to_audio.map": "Cross-modal retrieval",
    }
    metrics = [summary(None, row("a", 1.0), key=key)["metrics"][0] for key in keys]
    lines = [line for found in result_sections({"metrics": metrics}, ["a"]) for line in found.lines]
    assert {line.key: line.family for line in lines} == keys
    validation = [line.family for line in lines if not line.key.startswith("test.")]
    assert validation == [
        "Cross-modal retrieval",
        "Cross-modal retrieval",
        "Geometry of the audio items",
        "Retrieval",
        "Geometry of the visual items",
        "Geometry",
    ]


def test_metrics_with_a_raw_backbone_or_chance_value_have_these_columns() -> None:
    data = summary("higher", row("a", 0.5))
    assert result_sections(data, ["a"])[0].references == []
    data["metrics"][0] |= {"raw_backbone": None, "chance": 0.1}
    other = summary("higher", row("a", 0.5), key="geometry.hubness")["metrics"][0]
    data["metrics"].append({**other, "raw_backbone": 0.25, "chance": None})
    [section] = result_sections(data, ["a"])
    assert section.references == ["raw backbone", "chance"]
    assert [line.references for line in section.lines] == [
        {"chance": "0.100"},
        {"raw backbone": "0.250"},
    ]


def test_where_all_seeds_have_the_same_value_it_says_so_and_a_share_of_1_is_saturated() -> None:
    data = summary("higher", row("a", 1.0, sd=0.0, low=1.0, high=1.0), row("b", 0.9))
    [section] = result_sections(data, ["a", "b"], noun="split")
    one, other = section.lines[0].cells
    assert one is not None
    assert other is not None
    assert (one.mean, one.spread, one.interval, one.note) == (
        "1.000",
        " (all splits)",
        "",
        "saturated",
    )
    assert (other.mean, other.spread, other.note) == ("0.900", " ± 0.010", "")
    lower = summary("higher", row("a", 0.25, sd=0.0), row("b", 0.5))
    cell = result_sections(lower, ["a", "b"])[0].lines[0].cells[0]
    assert cell is not None
    assert (cell.spread, cell.note) == (" (all seeds)", "")


def test_means_that_are_equal_as_shown_are_both_best() -> None:
    data = summary("higher", row("a", 0.9), row("b", 0.9 + 5.6e-17), row("c", 0.5))
    [section] = result_sections(data, ["a", "b", "c"])
    assert [cell and cell.mark for cell in section.lines[0].cells] == ["ahead", "ahead", ""]


def test_rows_that_repeat_another_are_folded() -> None:
    keys = {
        "geometry.intra_class_variance": (0.2, 0.3),
        "geometry.intra_class_variance.scale_free": (0.2, 0.3),
        "geometry.inter_class_variance": (0.2, 0.3),
        "geometry.inter_class_variance.scale_free": (0.2, 0.31),
        "test.geometry.mean_norm": (0.9999999978, 1.0000000015),
    }
    metrics = [
        {"key": key, "label": key, "better": None}
        | {"arms": [row(arm, mean, sd=3e-9) for arm, mean in zip("ab", means, strict=True)]}
        for key, means in keys.items()
    ]
    test, validation = result_sections(
        {"metrics": [*metrics, metrics[0] | {"key": "test.x"}]}, "ab"
    )
    assert tuple(test.folded.values()) == (
        "test.geometry.mean_norm: 1 in every arm (unit vectors).",
    )
    assert tuple(validation.folded.values()) == (
        "geometry.intra_class_variance.scale_free: the same values as "
        "geometry.intra_class_variance.",
    )
    assert [line.key for line in validation.lines] == [
        "geometry.intra_class_variance",
        "geometry.inter_class_variance",
        "geometry.inter_class_variance.scale_free",
    ]


@pytest.mark.parametrize(("norms", "sd"), [((5e-5, 2e5), None), ((1.0, 1.0), 0.05)])
def test_norms_that_are_not_1_are_shown(norms: tuple[float, float], sd: float | None) -> None:
    rows = [row(arm, norm, sd=sd, n=3 if sd else 1) for arm, norm in zip("ab", norms, strict=True)]
    [section] = result_sections(summary(None, *rows, key="geometry.mean_norm"), "ab")
    assert section.folded == {}

"""The figure of smaller embeddings."""

from typing import Any, cast

from frontend.api.types import Summary
from frontend.comparison.results_table import result_sections
from frontend.comparison.tabs.dimensions import dimensions_figure, measured_ways
from frontend.ui.theme import arm_styles

ARMS = ["pull <b>", "rank"]


def row(arm: str, mean: float | None) -> dict[str, Any]:
    ends = {"low": None, "high": None} if mean is None else {"low": mean - 0.1, "high": mean + 0.1}
    values: dict[str, Any] = {"values": [], "untrained": None, "censored": 0}
    return {"arm": arm, "n": 3, "mean": mean, "sd": 0.05, **ends, **values}


def summary(values: dict[str, list[float | None]]) -> Summary:
    """Return a summary with the values of both arms by way."""
    metrics = [
        {
            "key": f"test.dimension.{way}.{measure}",
            "label": way,
            "better": "higher",
            "raw_backbone": None,
            "chance": None,
            "arms": [row(arm, mean) for arm, mean in zip(ARMS, means, strict=True)],
            "differences": [],
        }
        for way, means in values.items()
        for measure in ("map_at_r", "recall_at_1")
    ]
    return cast(Summary, {"metrics": metrics})


FOUND = summary(
    {
        "int8": [0.79, None],
        "full": [0.8, 0.9],
        "truncated_16": [0.7, 0.85],
        "truncated_8": [0.5, 0.8],
        "pca_8": [0.75, 0.88],
        "pca_16": [0.78, None],
    }
)


def test_lines_go_over_kept_dimensions_to_all() -> None:
    figure = dimensions_figure(measured_ways(FOUND, "map_at_r"), arm_styles(ARMS), 64, "MAP@R")
    lines = [trace for trace in figure.data if trace.mode and "lines+markers" in trace.mode]
    assert [list(line.x) for line in lines] == [[8, 16, 64], [8, 16, 64], [8, 16, 64], [8, 64]]
    assert list(lines[0].y) == [0.5, 0.7, 0.8]
    assert list(lines[1].y) == [0.75, 0.78, 0.8]
    assert list(lines[3].y) == [0.88, 0.9], "by components"
    [cross] = [trace for trace in figure.data if trace.mode == "markers"]
    assert (list(cross.x), list(cross.y)) == ([64], [0.79])
    assert all("<b>" not in trace.name for trace in figure.data)
    assert sum(trace.showlegend is not False for trace in figure.data) == len(ARMS)
    assert list(figure.layout.xaxis.ticktext) == ["8", "16", "64"]


def test_nothing_is_found_where_nothing_was_measured() -> None:
    assert measured_ways(cast(Summary, {"metrics": []}), "map_at_r") == {}
    assert measured_ways(summary({"full": [None, None]}), "map_at_r") == {}


def test_they_are_no_rows_of_the_table() -> None:
    assert result_sections(cast(Any, FOUND), ARMS) == []

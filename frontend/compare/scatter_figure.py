"""The scatter figure: any setting or metric of the chosen arms against any metric."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import plotly.graph_objects as go

from frontend.api.types import Arm, ArmTable, ArmValues
from frontend.charts import figures
from frontend.compare import tables
from frontend.ui.numbers import format_number
from frontend.ui.theme import arm_styles

Value = Literal["last", "best", "test"]
PointKind = Literal["arm", "run"]

VALUES: Final = {"last": "last", "best": "best (validation)", "test": "test"}
POINT_KINDS: Final = {"arm": "an arm, mean ± sd", "run": "a run"}
SYMBOLS: Final = ("circle", "square", "diamond", "triangle-up", "x", "cross", "star")
"""The second sign of a loss, besides its colour."""


@dataclass(frozen=True)
class Point:
    """One point of the scatter figure: an arm or a run."""

    arm: Arm
    name: str
    """Text of the hover: the arm's label, with the seed if the point is a run."""
    x: Any
    """A number, or the text of a setting."""
    y: float
    x_sd: float | None = None
    y_sd: float | None = None
    seed: int | None = None


def numeric_settings(arms: Sequence[Arm]) -> list[str]:
    """Return the settings that an axis can show, those that differ first."""
    paths = dict.fromkeys(path for arm in arms for path in arm["settings"])
    plain = [
        path
        for path in paths
        if all(isinstance(arm["settings"].get(path, 0), str | int | float) for arm in arms)
    ]
    return sorted(plain, key=lambda path: len({_setting_text(arm, path) for arm in arms}) < 2)


def scatter_points(
    found: ArmTable, names: Sequence[str], *, x: str, y: str, of: Value, each: PointKind
) -> list[Point]:
    """Return the points that have both values.

    Args:
        found: the arms with the values of both metrics.
        names: labels of the arms, in their order.
        x: key of a metric, or path of a setting.
        y: key of a metric.
        of: which value of a metric: the last, the best by validation, or that of the test split.
        each: whether a point is an arm or a run.
    """
    by_key = {metric["key"]: metric["arms"] for metric in found["metrics"]}
    made: list[Point] = []
    for index, (arm, name) in enumerate(zip(found["arms"], names, strict=True)):
        ys = by_key[y][index]
        xs = by_key[x][index] if x in by_key else None
        make = _arm_points if each == "arm" else _run_points
        made += make(arm, name, xs if xs else arm["settings"].get(x), ys, of)
    return made


def scatter_figure(
    points: Sequence[Point], *, x: str, y: str, log_x: bool, log_y: bool
) -> go.Figure:
    """Return a figure of the points, with colour and shape by loss.

    Args:
        points: at least one point.
        x: title of the horizontal axis.
        y: title of the vertical axis.
        log_x: whether the horizontal axis is logarithmic; all x must be above 0.
        log_y: whether the vertical axis is logarithmic; all y must be above 0.
    """
    losses = sorted({point.arm["loss"] for point in points})
    drawn = go.Figure()
    for (loss, style), symbol in zip(
        arm_styles(losses).items(), _symbols(len(losses)), strict=True
    ):
        own = [point for point in points if point.arm["loss"] == loss]
        drawn.add_trace(
            go.Scatter(
                x=[_shown(point.x) for point in own],
                y=[point.y for point in own],
                mode="markers",
                marker={"color": style.light, "size": 9, "symbol": symbol, "opacity": 0.85},
                error_x=_error_bars([point.x_sd for point in own], style.light),
                error_y=_error_bars([point.y_sd for point in own], style.light),
                text=[figures.escape_plotly(point.name) for point in own],
                customdata=[_point_text(point) for point in own],
                hovertemplate="%{text}<br>%{customdata}<extra></extra>",
                name=figures.escape_plotly(loss.replace("_", " ")),
            )
        )
    figures.apply_layout(drawn, x=x, y=y)
    drawn.update_layout(height=420, hovermode="closest", showlegend=True)
    if log_x:
        drawn.update_xaxes(type="log")
    if log_y:
        drawn.update_yaxes(type="log")
    return drawn


def all_positive(values: Sequence[Any]) -> bool:
    """Return whether a logarithmic axis can show all values."""
    return bool(values) and all(
        isinstance(value, int | float) and not isinstance(value, bool) and value > 0
        for value in values
    )


def scatter_csv(points: Sequence[Point], *, x: str, y: str) -> str:
    """Return the points as CSV, one per row; x and y are the titles of their columns."""
    heads = ["comparison", "comparison_name", "arm", "loss", "seed", x, f"{x}_sd", y, f"{y}_sd"]
    numbers = [(point.seed, point.x, point.x_sd, point.y, point.y_sd) for point in points]
    rows = [
        [*tables.arm_cells(point.arm), *("" if cell is None else str(cell) for cell in cells)]
        for point, cells in zip(points, numbers, strict=True)
    ]
    return tables.to_csv([heads, *rows])


def _arm_points(arm: Arm, name: str, x: ArmValues | Any, y: ArmValues, of: Value) -> list[Point]:
    up = y[of]
    if up is None or up["mean"] is None:
        return []
    if not isinstance(x, dict):
        return [] if x is None else [Point(arm, name, _axis_value(x), up["mean"], None, up["sd"])]
    right = x[of]
    if right is None or right["mean"] is None:
        return []
    return [Point(arm, name, right["mean"], up["mean"], right["sd"], up["sd"])]


def _run_points(arm: Arm, name: str, x: ArmValues | Any, y: ArmValues, of: Value) -> list[Point]:
    rights: Mapping[str, Any] = (
        {run["run"]: None if run["censored"] else run[of] for run in x["runs"]}
        if isinstance(x, dict)
        else dict.fromkeys((run["run"] for run in y["runs"]), _axis_value(x))
    )
    made = []
    for run in y["runs"]:
        right, up = rights.get(run["run"]), None if run["censored"] else run[of]
        if right is not None and up is not None:
            made.append(Point(arm, f"{name}, seed {run['seed']}", right, up, seed=run["seed"]))
    return made


def _setting_text(arm: Arm, path: str) -> str:
    return repr(arm["settings"].get(path))


def _axis_value(value: Any) -> Any:
    return ("no", "yes")[value] if isinstance(value, bool) else value


def _shown(value: Any) -> Any:
    """Return a value as the axis and the legend show it: sup con, not sup_con."""
    return value.replace("_", " ") if isinstance(value, str) else value


def _symbols(count: int) -> list[str]:
    return [SYMBOLS[index % len(SYMBOLS)] for index in range(count)]


def _error_bars(sds: Sequence[float | None], color: str) -> dict[str, Any]:
    known = any(sd is not None for sd in sds)
    return {"array": list(sds), "visible": known, "color": color, "thickness": 1, "width": 3}


def _point_text(point: Point) -> str:
    x = (
        format_number(point.x)
        if isinstance(point.x, int | float)
        else figures.escape_plotly(str(point.x))
    )
    x_sd = f" ± {format_number(point.x_sd)}" if point.x_sd is not None else ""
    y_sd = f" ± {format_number(point.y_sd)}" if point.y_sd is not None else ""
    return f"x {x}{x_sd}<br>y {format_number(point.y)}{y_sd}"

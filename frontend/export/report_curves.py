"""The figures of a report: every curve as mean and 95 % band over seeds; pure functions."""

from dataclasses import dataclass

import plotly.graph_objects as go

from frontend.api.arms_types import ArmCurve
from frontend.charts.chart import band, layout
from frontend.comparison.spec_text import reductions
from frontend.export.report_data import GROUPS, Material
from frontend.ui.theme import arm_styles


@dataclass(frozen=True)
class Drawn:
    """One figure of the report."""

    key: str
    """The metric's."""
    name: str
    caption: str
    figure: go.Figure


def drawn(material: Material) -> dict[str, list[Drawn]]:
    """The figures under their headings, in reading order; none without a point."""
    groups = {
        title: [_drawn(material, key) for key in keys if _has_points(material, key)]
        for title, keys in GROUPS.items()
    }
    return {title: figures for title, figures in groups.items() if figures}


def _has_points(material: Material, key: str) -> bool:
    return any(curve["steps"] for curve in material.curves.get(key, ()))


def _drawn(material: Material, key: str) -> Drawn:
    row = material.metrics[key]
    styles = arm_styles(material.arms)
    figure = go.Figure()
    for curve in material.curves[key]:
        columns = (_epochs(curve), curve["mean"], curve["low"], curve["high"])
        figure.add_traces(band(*columns, styles[curve["arm"]], curve["arm"]))
    unit = f" ({row['unit']})" if row["unit"] else ""
    caption = str(row["meaning"])
    if key == "dynamics.gradient_norm":
        caption = f"Reduction: {reductions(material.everything['spec'])}. {caption}"
    widest = max(curve["width"] for curve in material.curves[key])
    if widest > 1:
        caption += f" Each point is the mean of {widest} steps."
    layout(figure, x="epoch", y=f"{row['label']}{unit}")
    return Drawn(key, str(row["label"]), caption, figure)


def _epochs(curve: ArmCurve) -> list[float]:
    length = curve["steps_per_epoch"] or 1
    return [step / length for step in curve["steps"]]

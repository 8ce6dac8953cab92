"""The content of a report, read from the API once, and its figures.

Each figure shows one metric: the mean of every arm with its 95 % band over seeds.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import plotly.graph_objects as go

from frontend.api.client import SEPARATOR, Api
from frontend.api.types import ArmCurve, Catalogue, Everything, LeaderboardMetric
from frontend.charts.figures import HEIGHT, apply_layout, band_traces
from frontend.comparison.leaderboard.figure import caption, leaderboard_figure
from frontend.comparison.spec_text import reductions_text
from frontend.comparison.tuning import budget_figure, importance_figure
from frontend.comparison.tuning.texts import objective_label, setting_titles
from frontend.errors import MissingError
from frontend.export import trivial_loss
from frontend.ui.theme import arm_styles

GROUPS: Final[dict[str, tuple[str, ...]]] = {
    "Optimisation dynamics": (
        "dynamics.loss",
        "dynamics.active_ratio",
        "dynamics.gradient_norm",
    ),
    "Geometry of the held-out embeddings": (
        "geometry.intra_class_variance",
        "geometry.inter_class_variance",
        "geometry.variance_ratio",
        "geometry.effective_rank",
        "geometry.uniformity",
        "geometry.distance_overlap",
    ),
    "From one modality to the other": (
        "retrieval.audio_to_visual.map",
        "retrieval.visual_to_audio.map",
        "retrieval.audio_to_visual.recall_at_1",
        "retrieval.visual_to_audio.recall_at_1",
    ),
    "Retrieval and classification of the held-out embeddings": (
        "pairs.mrr",
        "pairs.recall_at_1",
        "pairs.ndcg_at_10",
        "pairs.spearman",
        "retrieval.recall_at_1",
        "retrieval.map_at_r",
        "classification.knn_accuracy_5",
        "classification.linear_probe_accuracy",
        "clustering.ami",
        "detail.recall_at_1",
    ),
}
"""The curves of a report; those that were not measured are left out."""

LOSS: Final = "dynamics.loss"

POINTS: Final = 400
"""Limit for one curve; more points than its width in pixels would not be visible."""


@dataclass(frozen=True)
class Material:
    """One comparison at one moment; its curves are read separately and may be slightly newer."""

    everything: Everything
    catalogue: Catalogue
    upload: str
    """Name of the uploaded data set that it uses; "" for none."""
    curves: Mapping[str, list[ArmCurve]]
    """By metric; arms in the spec's order."""

    @property
    def arms(self) -> list[str]:
        """Names in the spec's order."""
        return self.everything["comparison"]["arms"]

    @property
    def metrics(self) -> dict[str, dict[str, Any]]:
        """The catalogue's rows by key."""
        return {row["key"]: row for row in self.catalogue["metrics"]}


def read(api: Api, comparison: str) -> Material:
    """Read everything that the report of a comparison contains.

    Raises:
        ApiError: a call of the API failed.
    """
    everything = api.everything(comparison)
    named = [f"{comparison}{SEPARATOR}{arm}" for arm in everything["comparison"]["arms"]]
    measured = {metric["key"] for metric in everything["summary"]["metrics"]}
    return Material(
        everything,
        api.catalogue(),
        _upload(api, everything),
        {
            key: api.arm_curves(named, key, max_points=POINTS)["arms"]
            for keys in GROUPS.values()
            for key in keys
            if key in measured
        }
        | {
            key: api.arm_curves(named, key, max_points=POINTS)["arms"]
            for key in (trivial_loss.TRIVIAL, trivial_loss.PULL)
            if LOSS in measured
        },
    )


def _upload(api: Api, everything: Everything) -> str:
    dataset = everything["spec"]["data"].get("dataset")
    with suppress(MissingError):
        if dataset:
            return api.dataset(dataset)["name"]
    return ""


@dataclass(frozen=True)
class Drawn:
    """One figure of the report."""

    key: str
    """The metric's; of a leaderboard with a prefix."""
    name: str
    caption: str
    figure: go.Figure

    @property
    def height(self) -> int:
        """Height in pixels."""
        return int(self.figure.layout.height or HEIGHT)


def drawn(material: Material) -> dict[str, list[Drawn]]:
    """Return the figures that have points, by heading, in reading order."""
    groups = {
        title: [_drawn(material, key) for key in keys if _has_points(material, key)]
        for title, keys in GROUPS.items()
    }
    return {title: figures for title, figures in groups.items() if figures}


def leaderboards(material: Material) -> list[tuple[LeaderboardMetric, Drawn]]:
    """Return the leaderboard's metrics with a value, each with its figure, the main one first."""
    found = material.everything["leaderboard"]
    styles = arm_styles(material.arms)
    return [
        (
            metric,
            Drawn(
                f"leaderboard.{metric['key']}",
                f"{metric['label'].removesuffix(' (test)')} of each arm",
                caption(metric, found["replicate_noun"]),
                leaderboard_figure(metric, styles),
            ),
        )
        for metric in found["metrics"]
        if any(arm["n"] for arm in metric["arms"])
    ]


def search_figures(material: Material) -> list[Drawn]:
    """Return the figures of the search of a comparison that is tuned, those that have values."""
    found = material.everything["tuning"]
    if found is None or not budget_figure.has_curve(found):
        return []
    styles = arm_styles(material.arms)
    label = objective_label(found, material.catalogue["metrics"])
    titles = setting_titles(found, material.everything["spec"], material.catalogue)
    figures = [
        Drawn(
            "tuning.budget",
            budget_figure.NAME,
            budget_figure.caption(found),
            budget_figure.budget_figure(found, styles, label),
        )
    ]
    if importance_figure.has_importance(found):
        drawn = importance_figure.importance_figure(found, styles, titles)
        caption = importance_figure.CAPTION
        figures.append(Drawn("tuning.importance", importance_figure.NAME, caption, drawn))
    return figures


def _has_points(material: Material, key: str) -> bool:
    return any(curve["steps"] for curve in material.curves.get(key, ()))


def _drawn(material: Material, key: str) -> Drawn:
    row = material.metrics[key]
    styles = arm_styles(material.arms)
    figure = go.Figure()
    for curve in material.curves[key]:
        columns = (_epochs(curve), curve["mean"], curve["low"], curve["high"])
        figure.add_traces(band_traces(*columns, styles[curve["arm"]], curve["arm"]))
    caption = str(row["meaning"])
    if key == LOSS:
        caption += _add_trivial_loss(figure, material)
    unit = f" ({row['unit']})" if row["unit"] else ""
    if key == "dynamics.gradient_norm":
        caption = f"Reduction: {reductions_text(material.everything['spec'])}. {caption}"
    widest = max(curve["width"] for curve in material.curves[key])
    if widest > 1:
        caption += f" Each point is the mean of {widest} steps."
    apply_layout(figure, x="epoch", y=f"{row['label']}{unit}")
    return Drawn(key, str(row["label"]), caption, figure)


def _add_trivial_loss(figure: go.Figure, material: Material) -> str:
    """Add the trivial losses to the chart of the loss. Returns what the caption says of them."""
    trivial, pull = (
        trivial_loss.arm_means(material.curves.get(key, ()))
        for key in (trivial_loss.TRIVIAL, trivial_loss.PULL)
    )
    losses = material.curves[LOSS]
    width = max(epoch for curve in losses for epoch in _epochs(curve))
    known = [value for curve in losses for value in curve["mean"] if value is not None]
    styles = arm_styles(material.arms)
    shown = trivial_loss.lines(trivial)
    figure.add_traces(trivial_loss.traces(shown, width, max(known, default=0.0), styles))
    said = trivial_loss.sentence(trivial, pull, len(material.arms))
    return f" {said}" if said else ""


def _epochs(curve: ArmCurve) -> list[float]:
    length = curve["steps_per_epoch"] or 1
    return [step / length for step in curve["steps"]]

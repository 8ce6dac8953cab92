"""The live curves as a Streamlit component: its panels, its data, and how a page mounts it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

import streamlit as st

from frontend.ui.assets import LIVE_FOLDER, SAVE_STYLE, Assets
from frontend.ui.theme import arm_styles

Tab = Literal[
    "live",
    "geometry",
    "retrieval",
    "space",
    "tuning",
    "leaderboard",
    "verdict",
    "model",
    "setup",
]
"""The tabs of a comparison's page. The component is in all of them, so that one stream serves all
tabs and zoom stays when the viewer switches."""


@dataclass(frozen=True)
class PanelGroup:
    """Panels under one heading."""

    tab: Tab
    title: str
    keys: tuple[str, ...]
    across: bool = False
    """Whether only data of two modalities have these panels."""
    tuples: bool | None = None
    """Whether only data that come as tuples have them, or only others; None for all."""


PANEL_GROUPS: Final = (
    PanelGroup(
        "live",
        "Optimisation dynamics",
        (
            "dynamics.loss",
            "dynamics.active_ratio",
            "dynamics.gradient_norm",
            "dynamics.active_ratio.anchors",
            "dynamics.empty_steps",
            "dynamics.gradient_norm.per_active",
            "dynamics.false_negative_share",
        ),
    ),
    PanelGroup(
        "geometry",
        "Geometry of the held-out embeddings",
        (
            "geometry.intra_class_variance",
            "geometry.inter_class_variance",
            "geometry.variance_ratio",
            "geometry.effective_rank",
            "geometry.uniformity",
            "geometry.distance_overlap",
        ),
        tuples=False,
    ),
    PanelGroup(
        "geometry",
        "Geometry of the held-out embeddings",
        (
            "geometry.alignment",
            "geometry.uniformity",
            "geometry.mean_cosine",
            "geometry.effective_rank",
            "geometry.hubness",
            "geometry.mean_norm",
        ),
        tuples=True,
    ),
    PanelGroup(
        "geometry",
        "Geometry of each modality",
        tuple(
            f"{modality}.geometry.{name}"
            for modality in ("audio", "visual")
            for name in ("intra_class_variance", "inter_class_variance", "variance_ratio")
        ),
        across=True,
    ),
    PanelGroup(
        "retrieval",
        "From one modality to the other",
        tuple(
            f"retrieval.{way}.{name}"
            for way in ("audio_to_visual", "visual_to_audio")
            for name in ("map", "recall_at_1", "recall_at_8")
        ),
        across=True,
    ),
    PanelGroup(
        "retrieval",
        "Downstream metrics (held-out)",
        (
            "classification.knn_accuracy_5",
            "retrieval.recall_at_1",
            "retrieval.map_at_r",
            "classification.linear_probe_accuracy",
            "clustering.ami",
            "detail.recall_at_1",
        ),
        tuples=False,
    ),
    PanelGroup(
        "retrieval",
        "Tuples (held-out)",
        (
            "pairs.mrr",
            "pairs.recall_at_1",
            "pairs.recall_at_10",
            "pairs.ndcg_at_10",
            "pairs.spearman",
        ),
        tuples=True,
    ),
)
"""The panels in order: optimisation, geometry of the embeddings, retrieval and classification."""

_IN_BATCH_SHAPES: Final = ("pairs", "triplets")
"""Shapes of tuples whose losses take negatives from the batch."""

_LOG_FAMILIES: Final = ("dynamics.", "geometry.", "audio.geometry.", "visual.geometry.")
"""Metrics that may span orders of magnitude and get a logarithmic axis; shares of hits do not."""

_ASSETS: Final = Assets.load()
_component = st.components.v2.component(
    "lossboard_live",
    js=(LIVE_FOLDER / "js" / "loader.js").read_text(encoding="utf-8"),
    css="\n".join(
        path.read_text(encoding="utf-8") for path in (LIVE_FOLDER / "live.css", SAVE_STYLE)
    ),
    isolate_styles=False,
)


def live_data(
    *,
    comparison_id: str,
    tab: Tab,
    turned: int = 0,
    arms: Sequence[str],
    is_open: bool,
    metrics: Sequence[Mapping[str, Any]],
    fine_labels: bool = True,
    two_modalities: bool = False,
    class_disjoint: bool = False,
    shape: str = "",
    reductions: str = "",
    searching: bool = False,
    name: str = "",
    run: str = "",
    run_arm: str = "",
) -> dict[str, Any]:
    """Return the component's data; equal arguments give equal data, so a rerun changes nothing.

    Args:
        comparison_id: id of the comparison whose runs are shown.
        tab: the tab, which decides which groups are visible.
        turned: how often the viewer has turned to another tab; each time the address follows.
        arms: names in the spec's order, which decides the styles.
        is_open: whether runs are queued or running, so that the stream is needed.
        metrics: the catalogue's rows; a panel whose metric is missing is left out.
        fine_labels: whether the data have fine labels, so that detail retention is measured.
        two_modalities: whether the data have two modalities, so that one retrieves the other.
        class_disjoint: whether no held-out class trains, so that no linear probe is fitted.
        shape: of data that come as tuples; empty for data with classes.
        reductions: the reductions of the losses in words; the gradient norm depends on them.
        searching: whether the comparison is tuned and has no final runs yet: nothing is shown.
        name: the comparison's, for saved pictures.
        run: id of a run of a trial, which is shown instead of the comparison's runs.
        run_arm: name of its arm.
    """
    absent = {
        "detail.": not fine_labels,
        "classification.linear_probe": class_disjoint,
        "dynamics.false_negative_share": shape not in _IN_BATCH_SHAPES,
        "geometry.alignment": shape == "scored_pairs",
        "pairs.spearman": shape != "scored_pairs",
        **dict.fromkeys(("pairs.mrr", "pairs.recall", "pairs.ndcg"), shape == "scored_pairs"),
    }
    left_out = tuple(key for key, without in absent.items() if without)
    rows = {row["key"]: row for row in metrics if not row["key"].startswith(left_out)}
    return {
        "id": comparison_id,
        "name": name,
        "run": run,
        "searching": searching,
        "open": is_open,
        "tab": tab,
        "turned": turned,
        "main": _ASSETS.main_url,
        "plotly": _ASSETS.plotly_url,
        "arms": [
            {"name": name, **asdict(style)}
            for name, style in arm_styles(arms).items()
            if not run or name == run_arm
        ],
        "groups": [
            {
                "tab": group.tab,
                "title": group.title,
                "metrics": [_panel(rows[key], reductions) for key in group.keys if key in rows],
            }
            for group in PANEL_GROUPS
            if (two_modalities or not group.across) and group.tuples in {None, bool(shape)}
        ],
    }


def mount_live(data: Mapping[str, Any]) -> None:
    """Mount the component on the page; its constant key keeps the charts through every rerun."""
    _component(key="live", data=dict(data))


def _panel(row: Mapping[str, Any], reductions: str) -> dict[str, Any]:
    kept = ("key", "label", "unit", "meaning", "better", "per_step")
    panel = {name: row[name] for name in kept} | {"log": row["key"].startswith(_LOG_FAMILIES)}
    if row["key"] == "dynamics.gradient_norm" and reductions:
        panel["meaning"] = f"Reduction: {reductions}. {row['meaning']}"
    return panel

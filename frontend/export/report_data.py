"""What a report is made of, read from the API once."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from frontend.api.arms import SEPARATOR
from frontend.api.arms_types import ArmCurve
from frontend.api.client import Api
from frontend.api.export_types import Everything
from frontend.api.types import Catalogue
from frontend.errors import MissingError

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
        "retrieval.recall_at_1",
        "retrieval.map_at_r",
        "classification.knn_accuracy_5",
        "classification.linear_probe_accuracy",
        "clustering.ami",
        "detail.recall_at_1",
    ),
}
"""The curves of a report; those that were not measured are left out."""

POINTS: Final = 400
"""Of a curve at most: more than its width in pixels shows nothing more."""


@dataclass(frozen=True)
class Material:
    """One comparison, as of one moment but for its curves, which may be a little newer."""

    everything: Everything
    catalogue: Catalogue
    upload: str
    """Name of the uploaded data set that it is made on; "" for none."""
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
    """All that the report of a comparison tells.

    Raises:
        ApiError: as the API's calls do.
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
        },
    )


def _upload(api: Api, everything: Everything) -> str:
    dataset = everything["spec"]["data"].get("dataset")
    with suppress(MissingError):
        if dataset:
            return api.dataset(dataset)["name"]
    return ""

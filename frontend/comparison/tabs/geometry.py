"""Geometry: how the classes lie; below the live panels."""

from frontend.charts import chart as charts
from frontend.comparison.tabs.by_class import by_class
from frontend.comparison.tabs.distance_charts import distances
from frontend.comparison.tabs.tables import tables
from frontend.comparison.tabs.view import View


def show_geometry(view: View) -> None:
    """Results, variance by class, distances of pairs."""
    tables(view, "geometry")
    seed = by_class(
        view,
        "geometry",
        "variance",
        name="Intra-class variance by class",
        meaning="Mean squared distance to the class's centroid, of the embeddings as they are",
        method="embedding-space",
    )
    if seed is None:
        return
    by_epoch = view.client.distances(view.id, seed=seed)["arms"]
    if by_epoch and set.intersection(*(set(arm["epochs"]) for arm in by_epoch)):
        charts.show(
            distances(by_epoch),
            key=f"distances-{view.id}",
            name="Distances of positive and negative pairs",
            caption="Density of Euclidean distances between embeddings as they are, within one "
            f"class and between two; the same validation samples in every arm, seed {seed}.",
            method="geometry",
        )

"""How embeddings become coordinates: which module holds which method."""

from collections.abc import Callable
from importlib import import_module
from typing import Final

from worker.projection.alignment import Points

Told = Callable[[float], None]
"""Takes how much of one layout is done, 0 to 1; may raise to end it."""

Method = Callable[[Points, int, int, Points | None, Told], Points]
"""Embeddings [N, D] float64, how many axes, a seed, coordinates [N, d] to start from or None, and
whom to tell: gives coordinates [N, d]."""

MODULES: Final = {
    "pca": "worker.projection.pca",
    "tsne": "worker.projection.tsne",
    "pacmap": "worker.projection.pacmap_layout",
}
"""Kind -> the module whose `layout` computes it, imported when it is first asked for: some take
seconds, for which PCA must not wait."""


def method(kind: str) -> Method:
    """The method of that kind."""
    layout: Method = import_module(MODULES[kind]).layout
    return layout

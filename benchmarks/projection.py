"""10,000 embeddings of 128 dimensions on a plane: ours as the product calls it, against
scikit-learn's PCA and t-SNE and umap-learn.

Each call in a process of its own with one thread for everything, after a small one, so that
compiling and imports do not count; CPU time, median of alternating calls. The quality of a layout
is the share of the ten nearest neighbours in the space that are among the ten nearest on the plane,
over 1,000 of the samples. Ten classes about centres of their own, each a curved sheet of five
dimensions with noise in all. UMAP is another method than PaCMAP: it stands beside it as what people
use. It and t-SNE run with their defaults apart from the seed.
Takes about four minutes; `--short` takes 1,500 samples and documents nothing.
Command: python -m benchmarks.projection
"""

import argparse
import multiprocessing
import os
import statistics
import time
import warnings
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE
from sklearn.neighbors import NearestNeighbors
from umap import UMAP

from benchmarks.report import Row, report
from worker.projection.layouts import project
from worker.projection.methods import MODULES

Points = NDArray[np.float64]
Way = Callable[[Points], Points]

ITEMS, SHORT_ITEMS, DIM = 10_000, 1_500, 128
CLASSES, SHEET = 10, 5
WARM_UP = 400
"""Samples of the call that does not count."""
ASKED, NEIGHBOURS = 1_000, 10
REPEATS = 2
"""The figures of these calls differ by a few per cent only, and t-SNE takes long."""
PEERS = (
    ("PCA", "pca", "scikit-learn PCA"),
    ("t-SNE", "tsne", "scikit-learn TSNE"),
    ("PaCMAP", "pacmap", "umap-learn UMAP"),
)
"""Case, our method, the peer."""


class Layout(NamedTuple):
    """What one call took and gave."""

    seconds: float
    kept: float
    """Of the nearest neighbours, per cent."""


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--short", action="store_true")
    short: bool = parser.parse_args().short
    items = SHORT_ITEMS if short else ITEMS
    # Read by the children's libraries as they are loaded; set here, they hold for all of them.
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
        os.environ[name] = "1"
    rows = [row for peer in PEERS for row in _rows(*peer, items)]
    report(rows, document=not short)


def _rows(method: str, ours: str, peer: str, items: int) -> list[Row]:
    done: dict[str, list[Layout]] = {ours: [], peer: []}
    for _ in range(REPEATS):
        for name, layouts in done.items():
            layouts.append(_in_fresh_process(name, items))
    seconds, kept = (
        {name: statistics.median(getattr(one, field) for one in own) for name, own in done.items()}
        for field in Layout._fields
    )
    case = f"{method}, {items:,} x {DIM}"
    return [
        Row("projection", f"{case}: time", seconds[ours], "s", REPEATS, seconds[peer], peer),
        Row(
            *("projection", f"{case}: neighbours kept", kept[ours], "%", REPEATS, kept[peer], peer),
            higher_is_better=True,
        ),
    ]


def _in_fresh_process(name: str, items: int) -> Layout:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_layout, (name, items))


def _layout(name: str, items: int) -> Layout:
    warnings.simplefilter("ignore")  # that a fixed seed costs speed
    way = WAYS[name]
    way(_data(WARM_UP))
    embeddings = _data(items)
    began = time.process_time()
    found = way(embeddings)
    seconds = time.process_time() - began
    return Layout(seconds, 100 * _kept(embeddings, found))


def _kept(embeddings: Points, layout: Points) -> float:
    """Share of the nearest neighbours in the space that are so on the plane, over some samples."""
    asked = np.random.default_rng(1).choice(len(embeddings), ASKED, replace=False)
    found = []
    for points in (embeddings, layout):
        search = NearestNeighbors(n_neighbors=NEIGHBOURS + 1, algorithm="brute").fit(points)
        found.append(search.kneighbors(points[asked], return_distance=False)[:, 1:])
    common = [len(np.intersect1d(*both)) for both in zip(*found, strict=True)]
    return float(np.mean(common)) / NEIGHBOURS


def _data(items: int) -> Points:
    random = np.random.default_rng(0)
    labels = np.arange(items) % CLASSES
    centres = 0.5 * random.standard_normal((CLASSES, DIM))
    sheets = random.standard_normal((CLASSES, SHEET, DIM)) / np.sqrt(SHEET)
    places = random.standard_normal((items, SHEET))
    curved = np.tanh(np.einsum("ns,nsd->nd", places, sheets[labels]))
    noise = 0.1 * random.standard_normal((items, DIM))
    embeddings: Points = centres[labels] + curved + noise
    return embeddings


def _product(method: str) -> Way:
    return lambda embeddings: project([[embeddings]], method=method, dims=2, seed=0)[0, 0]


WAYS: Mapping[str, Way] = {
    **{name: _product(name) for name in MODULES},
    "scikit-learn PCA": lambda items: PCA(n_components=2).fit_transform(items),
    "scikit-learn TSNE": lambda items: TSNE(random_state=0, n_jobs=1).fit_transform(items),
    "umap-learn UMAP": lambda items: UMAP(random_state=0, n_jobs=1).fit_transform(items),
}


if __name__ == "__main__":
    main()

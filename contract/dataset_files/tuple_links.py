"""Which items of tuples are linked, so that a split keeps them together."""

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components


def linked(pairs: np.ndarray, count: int) -> np.ndarray:
    """Return the number of each item's connected component, [count] int64.

    Args:
        pairs: [P, 2] places of linked items.
        count: of items; one that nothing links is a component by itself.
    """
    ones = np.ones(len(pairs), dtype=np.int8)
    graph = coo_array((ones, (pairs[:, 0], pairs[:, 1])), shape=(count, count))
    _, labels = connected_components(graph, directed=False)
    return np.asarray(labels, dtype=np.int64)


def components_of_rows(rows: np.ndarray, count: int) -> np.ndarray:
    """Return the component of each row, [R] int64, where rows link all of their items.

    Args:
        rows: [R, 2 or 3] places of the items.
        count: of items.
    """
    links = np.concatenate([rows[:, :2], rows[:, [0, -1]]])
    return np.asarray(linked(links, count)[rows[:, 0]])

"""scikit-learn's bundled digits (Alpaydin & Kaynak 1998): 1,797 scans of 8 x 8 pixels."""

from importlib.metadata import distribution

import numpy as np
import torch

from contract.data import DigitsData
from worker.data.dataset import Dataset, split_by_item


def load(spec: DigitsData) -> Dataset:
    """Images [N, 1, 8, 8] with values 0 to 1, split 60 : 20 : 20 within each digit.

    The file is read as it lies in scikit-learn's distribution: importing scikit-learn takes every
    trainer more than a second of CPU time, and this file is all that is needed of it.
    """
    path = distribution("scikit-learn").locate_file("sklearn/datasets/data/digits.csv.gz")
    rows = torch.from_numpy(np.loadtxt(str(path), delimiter=",", dtype=np.float32))
    items = rows[:, :-1].div(16).view(-1, 1, 8, 8)
    return split_by_item(items, rows[:, -1].to(torch.int64), None, seed=spec.seed)

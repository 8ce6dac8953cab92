"""scikit-learn's bundled digits (Alpaydin & Kaynak 1998): 1,797 scans of 8 x 8 pixels."""

from importlib.metadata import distribution
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from contract.comparison.data import DigitsData
from worker.data.dataset import Pool
from worker.data.splits import split_by_item
from worker.reporting.progress import Progress


def load(spec: DigitsData, folder: Path, progress: Progress) -> Pool:
    """Load images [N, 1, 8, 8] with values 0 to 1, split 60 : 20 : 20 within each digit."""
    items, labels = read_digits()
    return Pool(items, labels, split_by_item(labels.numpy(), seed=spec.seed))


def read_digits() -> tuple[Tensor, Tensor]:
    """Read images [1797, 1, 8, 8] with values 0 to 1 in steps of 1/16, and their digits.

    Only the file of scikit-learn's distribution is read: importing scikit-learn would cost every
    trainer more than a second of CPU time.
    """
    path = distribution("scikit-learn").locate_file("sklearn/datasets/data/digits.csv.gz")
    rows = torch.from_numpy(np.loadtxt(str(path), delimiter=",", dtype=np.float32))
    return rows[:, :-1].div(16).view(-1, 1, 8, 8), rows[:, -1].to(torch.int64)

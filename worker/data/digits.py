"""scikit-learn's bundled digits (Alpaydin & Kaynak 1998): 1,797 scans of 8 x 8 pixels."""

import torch
from sklearn.datasets import load_digits

from contract.data import DigitsData
from worker.data.dataset import Dataset, split_by_item


def load(spec: DigitsData) -> Dataset:
    """Images [N, 1, 8, 8] with values 0 to 1, split 60 : 20 : 20 within each digit."""
    bundled = load_digits()
    items = torch.from_numpy(bundled.images).to(torch.float32).div_(16).unsqueeze(1)
    labels = torch.from_numpy(bundled.target).to(torch.int64)
    return split_by_item(items, labels, None, seed=spec.seed)

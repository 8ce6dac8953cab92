"""Features of tables, as they are and standardised by the training split."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from contract.comparison.data import FeaturesData, PairedFeaturesData
from worker.data.loaders.feature_tables import load
from worker.reporting.progress import SILENT

SCALES = np.array([1e6, 1e-20, 1.0, 0.0])
"""Of four features: very large, very small, usual, constant."""


def _values(width: int) -> np.ndarray:
    noise = np.random.default_rng(width).normal(2, 3, (60, width))
    values = noise * SCALES[:width] + np.where(SCALES[:width] == 0, 5, 0)
    return np.asarray(values, dtype=np.float32)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "table.npz"
    np.savez(path, features=_values(4), labels=np.arange(60) % 3)
    return path


def _standard(values: Tensor, train: Tensor) -> None:
    known = values[train].double()
    torch.testing.assert_close(
        known.mean(dim=0), torch.zeros(known.shape[1]).double(), atol=1e-6, rtol=0
    )
    expected = torch.tensor(SCALES[: known.shape[1]] > 0).double()
    torch.testing.assert_close(known.std(dim=0, correction=0), expected, atol=1e-6, rtol=0)


def test_features_are_standardised_by_the_training_split(table: Path, tmp_path: Path) -> None:
    plain = load(FeaturesData(file=str(table)), tmp_path, SILENT)
    scaled = load(FeaturesData(file=str(table), standardize=True), tmp_path, SILENT)
    assert isinstance(plain.items, Tensor)
    assert isinstance(scaled.items, Tensor)
    assert np.array_equal(plain.items.numpy(), _values(4)), "not without the setting"
    assert scaled.items.dtype == torch.float32
    train = torch.from_numpy(scaled.indices.train)
    _standard(scaled.items, train)
    others = torch.from_numpy(scaled.indices.test)
    assert abs(float(scaled.items[others][:, 0].mean())) > 1e-3, "they have a mean of their own"
    known = plain.items[train].double()
    expected = (plain.items.double() - known.mean(dim=0)) / known.std(dim=0, correction=0)
    torch.testing.assert_close(scaled.items[:, :3].double(), expected[:, :3], atol=1e-5, rtol=1e-5)


def test_both_modalities_of_pairs_are_standardised(tmp_path: Path) -> None:
    path = tmp_path / "pairs.npz"
    np.savez(path, audio=_values(4), visual=_values(2), labels=np.arange(60) % 3)
    pool = load(PairedFeaturesData(file=str(path), standardize=True), tmp_path, SILENT)
    train = torch.from_numpy(pool.indices.train)
    for values in (pool.items, pool.visual):
        assert isinstance(values, Tensor)
        _standard(values, train)

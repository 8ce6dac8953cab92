"""Digits and synthetic data: as described, split without leaks, and equal for equal specs."""

import pytest
import torch
from sklearn.datasets import load_digits
from torch import Tensor

from contract.comparison.data import DigitsData, SyntheticData, modalities, training_items
from worker import data
from worker.data import Dataset

SPECS = [
    DigitsData(),
    DigitsData(seed=7),
    DigitsData(seed=2**31 - 1),
    SyntheticData(),
    SyntheticData(seed=2**31 - 2),
    SyntheticData(classes=3, per_class=11, dim=4, modes=2, seed=5),
]


def rows(items: Tensor) -> set[bytes]:
    return {item.numpy().tobytes() for item in items}


@pytest.mark.parametrize("spec", SPECS, ids=str)
def test_splits_share_no_item(spec: DigitsData | SyntheticData) -> None:
    loaded = data.load(spec).dataset()
    splits = (loaded.train, loaded.validation, loaded.test)
    assert len(loaded.train.labels) == training_items(spec)
    assert (len(loaded.item_shape) == 3) == (modalities(spec).items == "images")
    everything = [row for split in splits for row in rows(split.items)]
    assert len(everything) == len(set(everything)), "an item is in two splits"
    for split in splits:
        assert split.items.dtype == torch.float32
        assert split.labels.dtype == torch.int64
        assert split.items.shape == (len(split.labels), *loaded.item_shape)
        assert split.labels.unique().tolist() == list(range(loaded.classes))
        if split.fine is not None:
            assert split.fine.dtype == torch.int64
            assert split.fine.shape == split.labels.shape
    for label in range(loaded.classes):
        counts = [int((split.labels == label).sum()) for split in splits]
        assert counts[0] == int(sum(counts) * 0.6)
        assert counts[1] in {counts[2], counts[2] - 1}


@pytest.mark.parametrize("spec", SPECS, ids=str)
def test_equal_specs_give_equal_data(spec: DigitsData | SyntheticData) -> None:
    def items(spec: DigitsData | SyntheticData) -> Tensor:
        torch.manual_seed(int(torch.randint(0, 1000, ())))
        return data.load(spec).dataset().train.items

    assert torch.equal(items(spec), items(spec))
    assert not torch.equal(items(spec), items(spec.model_copy(update={"seed": spec.seed + 1})))


def test_digits_are_scikit_learns() -> None:
    loaded = data.load(DigitsData()).dataset()
    splits = (loaded.train, loaded.validation, loaded.test)
    bundled = torch.from_numpy(load_digits().images).float().div(16)
    assert loaded.item_shape == (1, 8, 8)
    assert loaded.classes == 10
    assert loaded.train.fine is None
    assert sum(len(split.labels) for split in splits) == 1797
    items = torch.cat([split.items for split in splits])
    assert rows(items[:, 0]) == rows(bundled)
    assert items.min() == 0
    assert items.max() == 1


def whole(loaded: Dataset) -> tuple[Tensor, Tensor, Tensor]:
    splits = (loaded.train, loaded.validation, loaded.test)
    fine = [split.fine for split in splits if split.fine is not None]
    items = torch.cat([split.items for split in splits]).double()
    return items, torch.cat([split.labels for split in splits]), torch.cat(fine)


def centres(items: Tensor, fine: Tensor) -> Tensor:
    """Return the centre of each mode; the median ignores outliers."""
    return torch.stack([items[fine == mode].median(dim=0).values for mode in fine.unique()])


def test_synthetic_numbers() -> None:
    """The numbers are those of the method's description."""
    assert SyntheticData() == SyntheticData(
        classes=10,
        per_class=200,
        dim=128,
        modes=3,
        mode_spread=1.4,
        within_sd=1.0,
        overlap=0.1,
        outliers=0.05,
        outlier_scale=3.0,
        seed=0,
    )


def test_synthetic_scatter() -> None:
    """Standard deviations: 1 of class centres, mode_spread of modes, within_sd of items."""
    spec = SyntheticData(classes=20, per_class=100, modes=5, within_sd=0.5, overlap=0, outliers=0)
    items, labels, fine = whole(data.load(spec).dataset())
    assert torch.equal(fine // spec.modes, labels)
    assert fine.unique(return_counts=True)[1].tolist() == [20] * 100
    modes = torch.stack([items[fine == mode].mean(dim=0) for mode in range(100)])
    assert float((items - modes[fine]).std()) == pytest.approx(0.5 * (19 / 20) ** 0.5, rel=0.01)
    classes = modes.view(20, 5, -1)
    assert float(classes.var(dim=1).mean() ** 0.5) == pytest.approx(1.4, rel=0.03)
    spread_of_means = float(classes.mean(dim=1).var(dim=0).mean())
    assert spread_of_means == pytest.approx(1 + 1.4**2 / 5, rel=0.1)


def test_synthetic_overlap_and_outliers() -> None:
    """With very little scatter, the distance to its mode shows the kind of an item."""
    spec = SyntheticData(within_sd=0.01, outlier_scale=10)
    items, labels, fine = whole(data.load(spec).dataset())
    modes = centres(items, fine)
    distances = (items - modes[fine]).norm(dim=1) / (spec.within_sd * spec.dim**0.5)
    plain, outlying, blended = distances < 2, (distances > 5) & (distances < 20), distances > 100
    assert [int(kind.sum()) for kind in (plain, outlying, blended)] == [1700, 100, 200]

    # Twice a blended item minus the centre of its mode is a point of another class.
    others = 2 * items[blended] - modes[fine[blended]]
    origin = torch.cdist(others, modes).argmin(dim=1)
    assert torch.cdist(others, modes).min(dim=1).values.median() < 1
    assert (origin // spec.modes != labels[blended]).all()
    assert len((origin // spec.modes).unique()) == spec.classes


@pytest.mark.parametrize(("outliers", "far"), [(0.0, 0), (0.25, 50), (1.0, 200)])
def test_synthetic_outliers_win(outliers: float, far: int) -> None:
    """All items should overlap, but outliers never do."""
    settings = {"classes": 2, "per_class": 100, "modes": 1, "within_sd": 0.01, "overlap": 1}
    plain = whole(data.load(SyntheticData(**{**settings, "overlap": 0, "outliers": 0})).dataset())
    items, labels, _ = whole(data.load(SyntheticData(**settings, outliers=outliers)).dataset())
    own = centres(plain[0], plain[2])
    assert int(((items - own[labels]).norm(dim=1) < 1).sum()) == far
    halfway = own.mean(dim=0)
    assert int(((items - halfway).norm(dim=1) < 1).sum()) == 200 - far

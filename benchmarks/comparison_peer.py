"""A comparison's run as a careful user writes it with pytorch-metric-learning: its losses over all
tuples, its AccuracyCalculator, a DataLoader, and scikit-learn for the rest. It trains the same
network from the same weights on the same items, and logs what a run of ours does."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import torch
from pytorch_metric_learning import losses
from pytorch_metric_learning.distances import LpDistance
from pytorch_metric_learning.reducers import DoNothingReducer
from pytorch_metric_learning.utils.accuracy_calculator import AccuracyCalculator
from pytorch_metric_learning.utils.inference import FaissKNN
from sklearn.cluster import KMeans
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import adjusted_mutual_info_score, normalized_mutual_info_score
from sklearn.neighbors import KNeighborsClassifier, NearestNeighbors
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from worker.data import Dataset, Split

VALIDATION_ITEMS: Final = 5_000
GALLERY_ITEMS: Final = 10_000
UPDATE_NORM_EVERY: Final = 10
ALL_EVERY: Final = 5
"""Epochs between two evaluations that take all measures, as in a run of ours."""
NEIGHBOURS: Final = 10

Logged = dict[str, list[tuple[int, float]]]
"""Key -> (step, value)."""


def train(kind: str, network: nn.Module, data: Dataset, *, batch: int, epochs: int) -> Logged:
    """Train, and return what was logged."""
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    training = PeerTraining(network, loss_of(kind), optimizer, data.train, batch)
    best, best_weights = -1.0, {}
    training.log(evaluate(network, data.train, data.validation))
    for epoch in range(1, epochs + 1):
        training.train_epoch()
        cheap = epoch % ALL_EVERY != 0 and epoch != epochs
        values = evaluate(network, data.train, data.validation, cheap=cheap)
        training.log(values)
        if values["mean_average_precision_at_r"] > best:
            best = values["mean_average_precision_at_r"]
            best_weights = {name: w.clone() for name, w in network.state_dict().items()}
    network.load_state_dict(best_weights)
    tested = evaluate(network, data.train, data.test, whole=True)
    training.log({f"test.{key}": value for key, value in tested.items()})
    return training.logged


class PeerTraining:
    """A training whose every step is logged.

    Args:
        network: from items to embeddings.
        loss: with a DoNothingReducer.
        optimizer: of the network's parameters.
        items: to train on.
        batch: items of a batch.
    """

    def __init__(
        self,
        network: nn.Module,
        loss: nn.Module,
        optimizer: torch.optim.Optimizer,
        items: Split,
        batch: int,
    ) -> None:
        self.network = network
        self.logged: Logged = {}
        self.step = 0
        self._loss, self._optimizer = loss, optimizer
        dataset = TensorDataset(items.items, items.labels)
        self._loader = DataLoader(dataset, batch, shuffle=True, drop_last=True)

    def train_epoch(self) -> None:
        """Train one epoch."""
        parameters = list(self.network.parameters())
        for images, labels in self._loader:
            self.step += 1
            self._optimizer.zero_grad()
            embeddings = self.network(images)
            embeddings.retain_grad()
            parts = self._loss(embeddings, labels)
            value = sum(part["losses"].sum() for part in parts.values()) / max(
                1, sum(len(part["losses"]) for part in parts.values())
            )
            value.backward()
            self.log(_dynamics(parts, value, embeddings, parameters))
            if self.step % UPDATE_NORM_EVERY == 0:
                before = [p.detach().clone() for p in parameters]
                self._optimizer.step()
                moved = [p.detach() - old for p, old in zip(parameters, before, strict=True)]
                norm = nn.utils.get_total_norm(moved) / nn.utils.get_total_norm(before)
                self.log({"update_norm": norm.item()})
            else:
                self._optimizer.step()

    def log(self, values: Mapping[str, float]) -> None:
        """Add values of the step that was taken last."""
        for key, value in values.items():
            self.logged.setdefault(key, []).append((self.step, value))


def evaluate(
    network: nn.Module,
    train_items: Split,
    held_out: Split,
    *,
    whole: bool = False,
    cheap: bool = False,
) -> dict[str, float]:
    """Return every measure of the held-out items, or those that cost little."""
    points, labels = embedded(network, held_out, None if whole else VALIDATION_ITEMS)
    retrieval = retrieval_of(points, labels)
    x, y = points.numpy(), labels.numpy()
    if cheap:
        return {**retrieval, **_geometry(x, y)}
    train, train_labels = embedded(network, train_items, None if whole else GALLERY_ITEMS)
    gallery, known = train.numpy(), train_labels.numpy()
    clusters = KMeans(len(np.unique(y)), n_init=1, random_state=0).fit_predict(x)
    return {
        **retrieval,
        **_geometry(x, y),
        **_all_pairs(x),
        **{
            f"knn_accuracy_{k}": KNeighborsClassifier(k).fit(gallery, known).score(x, y)
            for k in (1, 5, 20)
        },
        "linear_probe_accuracy": LogisticRegression(max_iter=1000).fit(gallery, known).score(x, y),
        "nmi": normalized_mutual_info_score(y, clusters),
        "ami": adjusted_mutual_info_score(y, clusters),
    }


def retrieval_of(points: Tensor, labels: Tensor) -> dict[str, float]:
    """Retrieval of each item among the others."""
    calculator = AccuracyCalculator(
        include=("precision_at_1", "mean_average_precision_at_r", "r_precision"),
        k="max_bin_count",
        device=torch.device("cpu"),
        knn_func=FaissKNN(),
    )
    return dict(calculator.get_accuracy(points, labels))


def loss_of(
    kind: str, margin: float = 1.0, positive_margin: float = 0.0
) -> losses.BaseMetricLossFunction:
    """Return the peer's loss over all tuples, which gives the loss of each."""
    if kind == "contrastive":
        return losses.ContrastiveLoss(
            pos_margin=positive_margin,
            neg_margin=margin,
            distance=LpDistance(normalize_embeddings=False, p=2, power=1),
            reducer=DoNothingReducer(),
        )
    return losses.TripletMarginLoss(
        margin=margin,
        triplets_per_anchor="all",
        distance=LpDistance(normalize_embeddings=False, p=2, power=2),
        reducer=DoNothingReducer(),
    )


def _dynamics(
    parts: Mapping[str, Any], value: Tensor, embeddings: Tensor, parameters: list[nn.Parameter]
) -> dict[str, float]:
    values = {"loss": value.item()}
    for name, part in parts.items():
        values[f"{name}.mean"] = part["losses"].mean().item()
        values[f"{name}.active_ratio"] = (part["losses"] > 0).float().mean().item()
    gradients = [p.grad for p in parameters if p.grad is not None]
    values["gradient_norm"] = nn.utils.get_total_norm(gradients).item()
    if embeddings.grad is not None:
        values["gradient_norm.embedding"] = embeddings.grad.norm().item()
    return values


@torch.no_grad()
def embedded(network: nn.Module, split: Split, most: int | None = None) -> tuple[Tensor, Tensor]:
    """Return the embeddings of the first items of a split, or of all, and their labels."""
    items = TensorDataset(split.items[:most], split.labels[:most])
    network.eval()
    parts = [(network(images), labels) for images, labels in DataLoader(items, 1024)]
    network.train()
    return torch.cat([part for part, _ in parts]), torch.cat([labels for _, labels in parts])


def _geometry(x: np.ndarray, y: np.ndarray) -> dict[str, float]:
    classes = [x[y == label] for label in np.unique(y)]
    intra = np.mean([own.var(axis=0).sum() for own in classes])
    means = np.stack([own.mean(axis=0) for own in classes])
    count = len(means)
    between = ((means[:, None] - means[None, :]) ** 2).sum() / (count * (count - 1))
    points, labels = torch.from_numpy(x), torch.from_numpy(y)
    apart = torch.cdist(points, points).square()
    same = labels[:, None] == labels[None, :]
    other = ~torch.eye(len(x), dtype=torch.bool)
    spectrum = np.linalg.svd(x - x.mean(axis=0), compute_uv=False)
    share = spectrum / spectrum.sum()
    return {
        "intra_class_variance": float(intra),
        "inter_class_variance": float(between),
        "alignment": apart[same & other].mean().item(),
        "effective_rank": float(np.exp(-(share * np.log(share + 1e-12)).sum())),
        "mean_norm": float(np.linalg.norm(x, axis=1).mean()),
    }


def _all_pairs(x: np.ndarray) -> dict[str, float]:
    apart = torch.pdist(torch.from_numpy(x)).square()
    near = NearestNeighbors(n_neighbors=NEIGHBOURS + 1).fit(x).kneighbors(return_distance=False)
    occurs = np.bincount(near[:, :NEIGHBOURS].ravel(), minlength=len(x))
    return {
        "uniformity": (-2 * apart).exp().mean().log().item(),
        "hubness": float(((occurs - occurs.mean()) ** 3).mean() / occurs.std() ** 3),
    }

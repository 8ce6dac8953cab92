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
NEIGHBOURS: Final = 10


def train(
    kind: str, network: nn.Module, data: Dataset, *, batch: int, epochs: int
) -> dict[str, list[tuple[int, float]]]:
    """Train, and return what was logged: key -> (step, value)."""
    logged: dict[str, list[tuple[int, float]]] = {}

    def log(step: int, values: Mapping[str, float]) -> None:
        for key, value in values.items():
            logged.setdefault(key, []).append((step, value))

    loss = _loss(kind)
    parameters = list(network.parameters())
    optimizer = torch.optim.Adam(parameters, lr=1e-3)
    items = TensorDataset(data.train.items, data.train.labels)
    loader = DataLoader(items, batch, shuffle=True, drop_last=True)
    best, best_weights, step = -1.0, {}, 0
    log(0, evaluate(network, data.train, data.validation))
    for _ in range(epochs):
        for images, labels in loader:
            step += 1
            optimizer.zero_grad()
            embeddings = network(images)
            embeddings.retain_grad()
            parts = loss(embeddings, labels)
            value = sum(part["losses"].sum() for part in parts.values()) / max(
                1, sum(len(part["losses"]) for part in parts.values())
            )
            value.backward()
            log(step, _dynamics(parts, value, embeddings, parameters))
            if step % UPDATE_NORM_EVERY == 0:
                before = [p.detach().clone() for p in parameters]
                optimizer.step()
                moved = [p.detach() - old for p, old in zip(parameters, before, strict=True)]
                norm = nn.utils.get_total_norm(moved) / nn.utils.get_total_norm(before)
                log(step, {"update_norm": norm.item()})
            else:
                optimizer.step()
        values = evaluate(network, data.train, data.validation)
        log(step, values)
        if values["mean_average_precision_at_r"] > best:
            best = values["mean_average_precision_at_r"]
            best_weights = {name: w.clone() for name, w in network.state_dict().items()}
    network.load_state_dict(best_weights)
    tested = evaluate(network, data.train, data.test, whole=True)
    log(step, {f"test.{key}": value for key, value in tested.items()})
    return logged


def evaluate(
    network: nn.Module, train_items: Split, held_out: Split, *, whole: bool = False
) -> dict[str, float]:
    """Every measure of the held-out items."""
    train, train_labels = _embedded(network, train_items, None if whole else GALLERY_ITEMS)
    points, labels = _embedded(network, held_out, None if whole else VALIDATION_ITEMS)
    retrieval = AccuracyCalculator(
        include=("precision_at_1", "mean_average_precision_at_r", "r_precision"),
        k="max_bin_count",
        device=torch.device("cpu"),
        knn_func=FaissKNN(),
    ).get_accuracy(points, labels)
    x, y, gallery, known = points.numpy(), labels.numpy(), train.numpy(), train_labels.numpy()
    clusters = KMeans(len(np.unique(y)), n_init=1, random_state=0).fit_predict(x)
    return {
        **retrieval,
        **_geometry(x, y),
        **{
            f"knn_accuracy_{k}": KNeighborsClassifier(k).fit(gallery, known).score(x, y)
            for k in (1, 5, 20)
        },
        "linear_probe_accuracy": LogisticRegression(max_iter=1000).fit(gallery, known).score(x, y),
        "nmi": normalized_mutual_info_score(y, clusters),
        "ami": adjusted_mutual_info_score(y, clusters),
    }


def _loss(kind: str) -> nn.Module:
    if kind == "contrastive":
        distance = LpDistance(normalize_embeddings=False, p=2, power=1)
        return losses.ContrastiveLoss(distance=distance, reducer=DoNothingReducer())  # type: ignore[no-any-return]
    distance = LpDistance(normalize_embeddings=False, p=2, power=2)
    return losses.TripletMarginLoss(  # type: ignore[no-any-return]
        margin=1.0, triplets_per_anchor="all", distance=distance, reducer=DoNothingReducer()
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
def _embedded(network: nn.Module, split: Split, most: int | None) -> tuple[Tensor, Tensor]:
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
    near = NearestNeighbors(n_neighbors=NEIGHBOURS + 1).fit(x).kneighbors(return_distance=False)
    occurs = np.bincount(near[:, :NEIGHBOURS].ravel(), minlength=len(x))
    return {
        "intra_class_variance": float(intra),
        "inter_class_variance": float(between),
        "alignment": apart[same & other].mean().item(),
        "uniformity": (-2 * apart[other]).exp().mean().log().item(),
        "effective_rank": float(np.exp(-(share * np.log(share + 1e-12)).sum())),
        "hubness": float(((occurs - occurs.mean()) ** 3).mean() / occurs.std() ** 3),
        "mean_norm": float(np.linalg.norm(x, axis=1).mean()),
    }

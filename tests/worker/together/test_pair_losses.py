"""The matrix of triplets for the batches of many members."""

import pytest
import torch

from worker.together import pair_losses
from worker.together.labels import LabelRelations
from worker.together.pair_losses import squared_distances, triplet_weights


@pytest.mark.parametrize("most_compared", [0, 31])
def test_triplet_weights_are_those_of_each_batch_alone(
    most_compared: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pair_losses, "MOST_COMPARED", most_compared)
    rng = torch.Generator().manual_seed(2)
    labels = torch.stack([torch.zeros(9, dtype=torch.int64), torch.arange(9), torch.arange(9) % 2])
    # Rounded, so that many distances tie with each other and with the margin.
    points = torch.randint(0, 3, (3, 9, 2), generator=rng).to(torch.float32)
    squared = squared_distances(points - points.mean(dim=1, keepdim=True)).round()
    relations = LabelRelations.from_labels(labels[None]).at(0)
    margins = torch.tensor([1.0, 1.0, 2.0])
    weights, active = triplet_weights(squared, relations, margins.view(-1, 1, 1))
    for own, seen, count, matrix, margin in zip(
        labels, weights, active, squared, margins, strict=True
    ):
        listed = torch.zeros(9, 9)
        anchors = torch.zeros(9)
        for a, p, n in torch.cartesian_prod(*[torch.arange(9)] * 3).tolist():
            if a != p and own[a] == own[p] != own[n] and matrix[a, n] < matrix[a, p] + margin:
                listed[a, p] += 1
                listed[a, n] -= 1
                anchors[a] += 1
        assert torch.equal(seen, listed)
        assert torch.equal(count, anchors)
    assert active.sum() > 0

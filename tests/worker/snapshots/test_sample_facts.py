"""Facts of a snapshot against plain loops."""

import pytest
import torch

from worker.snapshots.sample_facts import facts


def test_facts_against_plain_loops() -> None:
    torch.manual_seed(0)
    points, labels = torch.randn(40, 3), torch.randint(0, 4, (40,))
    labels[0] = 9
    found = facts(points, labels)
    away = torch.cdist(points.double(), points.double())
    for i in range(40):
        order = [j for j in away[i].argsort(stable=True).tolist() if j != i]
        assert found.neighbours[i] == order[:10]
        assert found.distances[i] == pytest.approx(away[i][order[:10]].tolist(), rel=1e-4)
        others = int((labels == labels[i]).sum()) - 1
        if not others:
            assert (found.correct[i], found.average_precision[i]) == (None, None)
            continue
        assert found.correct[i] == int(labels[order[0]] == labels[i])
        hits = [int(labels[j] == labels[i]) for j in order[:others]]
        expected = sum(hit * sum(hits[: k + 1]) / (k + 1) for k, hit in enumerate(hits)) / others
        assert found.average_precision[i] == pytest.approx(expected, rel=1e-4, abs=1e-9)
    for own in found.classes:
        members = points[labels == own.label].double()
        spread = (members - members.mean(dim=0)).norm(dim=1)
        assert own.variance == pytest.approx(float(spread.square().mean()), rel=1e-4, abs=1e-9)
    assert [own.accuracy for own in found.classes if own.label == 9] == [None]
    assert sum(found.histogram.positive) + sum(found.histogram.negative) == 40 * 39 // 2

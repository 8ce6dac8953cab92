"""Measures on held-out items for every kind of data set, and the choice of the best epoch."""

import torch
from torch import Tensor, nn

from contract.metrics import METRICS
from contract.metrics.verification import DIMENSIONS, VERIFICATION
from worker import measure
from worker.data import Dataset, Split
from worker.trainer.evaluation import BestEpoch, Evaluation, embed
from worker.trainer.model import Model


def split(
    classes: range, *, visual: bool = False, fine: bool = False, seed: int = 0, each: int = 8
) -> Split:
    """Return a split with classes around the corners of a cube, 0.3 wide."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.tensor(list(classes)).repeat_interleave(each)
    centres = 3 * torch.eye(16)[labels]

    def scattered() -> Tensor:
        return centres + 0.3 * torch.randn(len(labels), 16, generator=generator)

    return Split(
        scattered(),
        labels,
        labels * 2 + torch.arange(len(labels)) % 2 if fine else None,
        scattered() if visual else None,
    )


def evaluated(data: Dataset, *encoders: nn.Module) -> Evaluation:
    return Evaluation(data, Model(encoders or [nn.Identity()]), data_seed=0)


def test_trained_classes_are_classified_from_the_training_items() -> None:
    data = Dataset(split(range(5)), split(range(5), seed=1), split(range(5), seed=2), 5)
    values = evaluated(data).validation()
    assert values["classification.knn_accuracy_1"] == 1
    assert values["classification.linear_probe_accuracy"] == 1
    assert "detail.recall_at_1" not in values
    assert set(values) <= set(METRICS)
    tested = evaluated(data).test()
    assert set(tested.values) - set(values) == {metric.key for metric in VERIFICATION}
    assert set(values) <= set(tested.values)
    assert tested.values["verification.equal_error_rate"] == 0
    assert tested.values["verification.threshold.balanced_error"] == 0
    smaller = evaluated(data).smaller(tested)
    assert smaller["dimension.full.recall_at_1"] == 1
    assert smaller["dimension.truncated_8.recall_at_1"] == 1, "the corners differ in five"
    assert set(smaller) <= {metric.key for metric in DIMENSIONS}
    assert evaluated(data).caveats == []


def test_new_classes_are_classified_from_held_out_items_without_a_probe() -> None:
    data = Dataset(
        split(range(4)),
        split(range(4, 6), seed=1, fine=True),
        split(range(6, 10), seed=2),
        10,
        class_disjoint=True,
    )
    values = evaluated(data).test().values
    assert values["classification.knn_accuracy_1"] == 1
    assert "verification.threshold.far" in values, "also where tested classes are new"
    assert "classification.linear_probe_accuracy" not in values
    assert "detail.recall_at_1" in evaluated(data).validation()
    [caveat] = evaluated(data).caveats
    assert "leave-one-out" in caveat


def test_two_modalities_are_measured_together_each_alone_and_between_them() -> None:
    train, validation, test = (
        split(range(5), visual=True, fine=seed == 1, seed=seed) for seed in range(3)
    )
    data = Dataset(train, validation, test, 5)
    turned = nn.Linear(16, 16, bias=False)
    with torch.no_grad():  # the images of a class lie where the sounds of another do
        turned.weight.copy_(torch.eye(16)[[4, 0, 1, 2, 3, *range(5, 16)]])
    values = evaluated(data, nn.Identity(), turned).validation()
    assert values["retrieval.audio_to_visual.recall_at_1"] == 0
    assert values["retrieval.visual_to_audio.recall_at_1"] == 0
    assert 0.2 < values["retrieval.recall_at_1"] < 0.8, "a neighbour is of either modality"
    for name, points in (("audio", data.validation.items), ("visual", data.validation.visual)):
        assert points is not None
        alone = measure.geometry(points, data.validation.labels)
        key = "geometry.intra_class_variance"
        assert abs(values[f"{name}.{key}"] - alone[key]) < 1e-5
    assert values["geometry.intra_class_variance"] > 2 * alone["geometry.intra_class_variance"]
    assert "detail.recall_at_1" in values
    assert set(values) <= set(METRICS)
    matched = evaluated(data, nn.Identity(), nn.Identity()).validation()
    assert matched["retrieval.audio_to_visual.map"] == 1


def test_embedding_goes_batch_by_batch_in_evaluation_mode() -> None:
    many = split(range(5), each=500)
    model = Model([nn.Dropout(0.5)])
    model.train()
    [embeddings] = embed(model, many)
    assert torch.equal(embeddings, many.items)
    assert model.training


def test_the_best_epoch_is_the_earliest_on_ties_and_its_weights_come_back() -> None:
    layer = torch.nn.Linear(1, 1)
    best = BestEpoch()
    for step, score in ((10, 0.5), (20, 0.9), (30, 0.9), (40, 0.1)):
        torch.nn.init.constant_(layer.weight, step)
        best.offer({"retrieval.map_at_r": score}, step, layer)
    best.restore(layer)
    assert best.step == 20
    assert layer.weight.item() == 20

"""Seeds trained in one computation learn what each of them learns alone."""

import copy
from typing import Any

import pytest
import torch
from pydantic import TypeAdapter
from torch import Tensor, nn

from contract.comparison.encoder import MlpEncoder, Resnet18Encoder
from contract.comparison.loss import ContrastiveLoss, Loss, TripletLoss
from contract.comparison.training import (
    AdamOptimizer,
    AdamWOptimizer,
    MPerClassSampler,
    Optimizer,
    SgdOptimizer,
    ShuffleSampler,
)
from worker import encoders, losses
from worker.batched import BatchedSeeds, can_batch
from worker.batched.tuple_losses import LabelRelations, squared_distances, triplet_weights
from worker.errors import InputError
from worker.torch_utils import build_optimizer, stream_seed
from worker.trainer import batches, dynamics

SEEDS, ITEMS, FEATURES, CLASSES, BATCH, EPOCHS = 3, 120, 12, 5, 24, 4
LINEAR = Resnet18Encoder(embedding_dim=6)
HIDDEN = Resnet18Encoder(embedding_dim=6, hidden=10)
RAW = Resnet18Encoder(embedding_dim=6, normalize=False)
MLP = MlpEncoder(embedding_dim=6, hidden=8)
LOSSES: list[dict[str, Any]] = [
    {"kind": kind, "reduction": reduction, "margin": margin}
    for kind in ("contrastive", "triplet")
    for reduction in ("mean", "sum", "mean_active")
    for margin in (1.0, 0.2)
]


def data() -> tuple[Tensor, Tensor]:
    """Return features and labels of overlapping classes."""
    rng = torch.Generator().manual_seed(1)
    labels = torch.arange(ITEMS) % CLASSES
    centres = torch.randn(CLASSES, FEATURES, generator=rng)
    return centres[labels] + torch.randn(ITEMS, FEATURES, generator=rng), labels


def network(encoder: Any, seed: int) -> nn.Module:
    torch.manual_seed(stream_seed(seed, "encoder"))
    return encoders.build(encoder, (FEATURES,))


def drawn(
    seed: int, labels: Tensor, sampler: ShuffleSampler | MPerClassSampler, epoch: int
) -> list[Tensor]:
    return list(
        batches.epoch_batches(
            labels, sampler_spec=sampler, batch_size=BATCH, seed=seed, epoch=epoch
        )
    )


def alone(
    model: nn.Module, loss: Loss, optimizer: Optimizer, indices: list[Tensor]
) -> list[dict[str, float]]:
    """Train the model of one seed, in the type of its weights, and return its dynamics by step."""
    items, labels = data()
    items = items.to(next(model.parameters()).dtype)
    weights = list(model.parameters())
    stepper = build_optimizer(optimizer, weights)
    criterion = losses.build(loss)
    series = []
    for step, index in enumerate(indices, 1):
        stepper.zero_grad()
        embeddings: Tensor = model(items[index])
        embeddings.retain_grad()
        output = criterion(embeddings, labels[index], check_values=False)
        output.value.backward()
        numbers = dynamics.step_numbers(output, [embeddings], weights)
        before = dynamics.copy_parameters(weights)
        stepper.step()
        if step % 10 == 0:
            numbers |= dynamics.update_norm(before, weights)
        series.append(dynamics.read_values([numbers])[0])
    return series


def compare(
    encoder: Any,
    loss: Loss,
    optimizer: Optimizer,
    sampler: ShuffleSampler | MPerClassSampler | None = None,
) -> None:
    """Train both ways, read every seven steps, and compare all values and weights."""
    items, labels = data()
    models = [network(encoder, seed) for seed in range(SEEDS)]
    together = BatchedSeeds(copy.deepcopy(models), loss, optimizer, items, labels)
    chosen = [
        [
            i
            for epoch in range(1, EPOCHS + 1)
            for i in drawn(seed, labels, sampler or SHUFFLE, epoch)
        ]
        for seed in range(SEEDS)
    ]
    series: list[list[dict[str, float]]] = []
    per_epoch = ITEMS // BATCH
    for step in range(EPOCHS * per_epoch):
        if step % per_epoch == 0:
            own = [torch.stack(of[step : step + per_epoch]) for of in chosen]
            together.begin(torch.stack(own, dim=1))
        together.take_step(update_norm=(step + 1) % 10 == 0)
        if step % 7 == 0:
            series += together.read()
    series += together.read()
    learned = copy.deepcopy(models)
    together.copy_to(learned)
    for seed, model in enumerate(models):
        before = copy.deepcopy(model.state_dict())
        expected = alone(model, loss, optimizer, chosen[seed])
        assert [of[seed].keys() for of in series] == [of.keys() for of in expected]
        for ours, theirs in zip(series, expected, strict=True):
            for key, value in theirs.items():
                assert ours[seed][key] == pytest.approx(value, rel=2e-3, abs=1e-6, nan_ok=True), key
        for key, value in model.state_dict().items():
            assert value.dim() == 1 or not torch.equal(value, before[key])  # a bias may rest
            torch.testing.assert_close(learned[seed].state_dict()[key], value, rtol=1e-3, atol=1e-5)


SHUFFLE = ShuffleSampler()


@pytest.mark.parametrize("raw", LOSSES, ids=str)
def test_every_seed_learns_what_it_learns_alone(raw: dict[str, Any]) -> None:
    loss: Loss = TypeAdapter(Loss).validate_python(raw)
    compare(HIDDEN, loss, AdamOptimizer())


@pytest.mark.parametrize("encoder", [LINEAR, RAW, MLP], ids=["linear", "not on the sphere", "mlp"])
@pytest.mark.parametrize("loss", [ContrastiveLoss(), TripletLoss()], ids=lambda loss: loss.kind)
def test_every_encoder_learns_the_same(encoder: Any, loss: Loss) -> None:
    # Without normalisation distances do not depend on the last bias: its gradient is nothing but
    # rounding, which Adam would turn into whole steps.
    compare(encoder, loss, SgdOptimizer(lr=0.05) if encoder is RAW else AdamOptimizer())


@pytest.mark.parametrize(
    "optimizer", [AdamWOptimizer(weight_decay=0.1), SgdOptimizer(lr=0.05)], ids=lambda o: o.kind
)
def test_every_optimizer_learns_the_same(optimizer: Optimizer) -> None:
    compare(LINEAR, TripletLoss(), optimizer)


def test_balanced_batches_learn_the_same() -> None:
    compare(LINEAR, TripletLoss(), AdamOptimizer(), MPerClassSampler(m=6))


@pytest.mark.parametrize("loss", [ContrastiveLoss(), TripletLoss()], ids=lambda loss: loss.kind)
def test_batched_seeds_are_as_exact_as_a_seed_alone(loss: Loss) -> None:
    items, labels = data()
    index = [i for epoch in range(1, EPOCHS + 1) for i in drawn(0, labels, SHUFFLE, epoch)]
    one, exact = network(HIDDEN, 0), network(HIDDEN, 0).double()
    together = BatchedSeeds([one], loss, AdamOptimizer(), items, labels)
    together.begin(torch.stack(index)[:, None])
    for _ in index:
        together.take_step()
    ours = copy.deepcopy(one)
    together.copy_to([ours])
    for model in (one, exact):
        alone(model, loss, AdamOptimizer(), index)
    own, single, double = (
        nn.utils.parameters_to_vector(model.parameters()).detach().double()
        for model in (ours, one, exact)
    )
    assert (own - double).norm() < 3 * (single - double).norm()
    assert (single - double).norm() < 1e-3 * double.norm()


@pytest.mark.cuda
@pytest.mark.parametrize("loss", [ContrastiveLoss(), TripletLoss()], ids=lambda loss: loss.kind)
def test_steps_do_not_wait_for_the_device(loss: Loss) -> None:
    items, labels = (tensor.cuda() for tensor in data())
    models = [network(HIDDEN, seed).cuda() for seed in range(SEEDS)]
    together = BatchedSeeds(models, loss, AdamOptimizer(), items, labels)
    together.begin(torch.randint(ITEMS, (6, SEEDS, BATCH), device="cuda"))
    together.take_step()  # the first step sets things up and may wait
    torch.cuda.set_sync_debug_mode("error")
    try:
        for step in range(5):
            together.take_step(update_norm=step == 3)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert len(together.read()) == 6


def test_triplet_weights_are_those_of_each_batch_alone() -> None:
    rng = torch.Generator().manual_seed(2)
    labels = torch.stack([torch.zeros(9, dtype=torch.int64), torch.arange(9), torch.arange(9) % 2])
    # Rounded, so that many distances tie with each other and with the margin.
    points = torch.randint(0, 3, (3, 9, 2), generator=rng).to(torch.float32)
    centred = points - points.mean(dim=1, keepdim=True)
    squared = squared_distances(centred).round()
    weights, active = triplet_weights(squared, LabelRelations.from_labels(labels[None]).at(0), 1.0)
    for own, seen, count, matrix in zip(labels, weights, active, squared, strict=True):
        listed = torch.zeros(9, 9)
        anchors = torch.zeros(9)
        for a, p, n in torch.cartesian_prod(*[torch.arange(9)] * 3).tolist():
            if a != p and own[a] == own[p] != own[n] and matrix[a, n] < matrix[a, p] + 1:
                listed[a, p] += 1
                listed[a, n] -= 1
                anchors[a] += 1
        assert torch.equal(seen, listed)
        assert torch.equal(count, anchors)
    assert active.sum() > 0


def test_a_seed_that_diverges_leaves_the_others_as_they_are() -> None:
    items, labels = data()
    models = [network(LINEAR, seed) for seed in range(2)]
    weight = next(models[1].parameters())
    index = torch.arange(BATCH)[None, None].expand(3, 2, BATCH)
    runs = []
    for broken in (False, True):
        if broken:
            weight.data[0, 0] = torch.nan
        together = BatchedSeeds(models, TripletLoss(), AdamOptimizer(), items, labels)
        together.begin(index)
        for _ in range(3):
            together.take_step()
        runs.append(together.read())
    assert [of[0] for of in runs[0]] == [of[0] for of in runs[1]]
    assert all(of[1]["dynamics.loss_trained"] != of[1]["dynamics.loss_trained"] for of in runs[1])


def test_losses_and_networks_that_cannot_be_batched_are_refused() -> None:
    items, labels = data()
    networks = [network(LINEAR, 0)]
    assert can_batch(TripletLoss())
    assert can_batch(ContrastiveLoss(pull_weight=0.2))  # it has no effect here
    for loss in (
        TripletLoss(selection="semi_hard"),
        ContrastiveLoss(distance="cosine"),
        ContrastiveLoss(reduction="balanced"),
        ContrastiveLoss(positive_margin=0.1),
        ContrastiveLoss(hinge="linear"),
    ):
        assert not can_batch(loss)
        with pytest.raises(InputError, match="not trained together"):
            BatchedSeeds(networks, loss, AdamOptimizer(), items, labels)
    with pytest.raises(InputError, match="linear layers"):
        BatchedSeeds([nn.Sequential(nn.Tanh())], TripletLoss(), AdamOptimizer(), items, labels)
    with pytest.raises(InputError, match="one form"):
        BatchedSeeds(
            [network(LINEAR, 0), network(HIDDEN, 1)],
            TripletLoss(),
            AdamOptimizer(),
            items,
            labels,
        )

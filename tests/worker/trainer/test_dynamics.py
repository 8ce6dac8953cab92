"""The dynamics of a step against what autograd and the optimiser really do."""

import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from contract.comparison.loss import KINDS_WITH_PARAMETERS
from contract.metrics import METRICS
from worker import losses
from worker.losses import LossOutput
from worker.trainer import dynamics

KINDS = ("contrastive", "triplet")
PARTS: dict[str, set[str]] = {
    "contrastive": {"positive", "negative"},
    "triplet": {"triplet"},
    "n_pair": {"softmax"},
    "info_nce": {"softmax"},
    "arcface": {"softmax"},
    "sup_con": {"softmax"},
    "center_contrastive": {"softmax", "positive"},
}
REDUCTIONS = ("mean", "sum", "mean_active")
LABELS = torch.arange(24) % 4


def values_of(
    output: LossOutput, embeddings: list[Tensor], parameters: list[Tensor]
) -> dict[str, float]:
    """Return the dynamics of a step between backward and the optimiser's step."""
    return dynamics.read_values([dynamics.step_numbers(output, embeddings, parameters)])[0]


class Step:
    """A small encoder after backward on one batch."""

    def __init__(self, kind: str, items: Tensor, labels: Tensor, **settings: Any) -> None:
        torch.manual_seed(0)
        self.encoder = nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 8)).double()
        self.parameters = list(self.encoder.parameters())
        loss = losses.build({"kind": kind, **settings}, classes=4, dim=8).double()
        self.embeddings: Tensor = self.encoder(items)
        self.embeddings.retain_grad()
        self.output: LossOutput = loss(self.embeddings, labels)
        self.output.value.backward(retain_graph=True)
        self.values = dynamics.read_values(
            [dynamics.step_numbers(self.output, [self.embeddings], self.parameters)]
        )[0]

    def norm_of(self, value: Tensor) -> float:
        """Return the norm of the gradient of another value of the same batch."""
        gradients = torch.autograd.grad(value, self.parameters, retain_graph=True)
        return float(torch.cat([gradient.flatten() for gradient in gradients]).norm())


def items() -> Tensor:
    return torch.randn(24, 6, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def step(kind: str, **settings: Any) -> Step:
    return Step(kind, items(), LABELS, **settings)


def test_every_key_of_the_contract_is_measured() -> None:
    promised = {key for key, metric in METRICS.items() if metric.per_step} - {"run.elapsed_s"}
    of_plugins = {  # measured in the plug-ins' own tests
        f"dynamics.{what}.{part}"
        for what in ("loss", "active_ratio")
        for part in ("pair", "per_anchor", "per_proxy")
    }
    of_tuples = {  # measured in the tests of given tuples
        "dynamics.false_negative_share",
        "dynamics.loss.comparison",
        "dynamics.active_ratio.comparison",
    }
    promised -= of_plugins | of_tuples
    assert len(promised) == 25
    weights = [torch.ones(2)]
    moved = dynamics.step_numbers(step("triplet").output, [], []) | dynamics.update_norm(
        weights, weights
    )
    measured = set(dynamics.read_values([moved])[0])
    measured |= dynamics.EmptySteps().count(step("triplet").values).keys()
    for kind in PARTS:
        measured |= step(kind).values.keys()
    measured |= step("triplet", selection="batch_hard").values.keys()
    assert measured == promised


@pytest.mark.parametrize(("kind", "parts"), PARTS.items())
def test_a_loss_measures_the_keys_of_all_and_of_its_own_parts(kind: str, parts: set[str]) -> None:
    own = {f"dynamics.{what}.{part}" for what in ("loss", "active_ratio") for part in parts}
    own |= {"dynamics.pull_share"} if kind in KINDS else set()
    own |= set() if kind in KINDS_WITH_PARAMETERS else {"dynamics.trivial_loss"}
    assert own <= step(kind).values.keys()
    assert step(kind).values.keys() - own == {
        "dynamics.loss",
        "dynamics.loss_trained",
        "dynamics.active_ratio",
        "dynamics.active_ratio.anchors",
        "dynamics.active_ratio.pushing_anchors",
        "dynamics.active_tuples",
        "dynamics.valid_tuples",
        "dynamics.gradient_norm",
        "dynamics.gradient_norm.embedding",
        "dynamics.gradient_norm.per_active",
    }


@pytest.mark.parametrize("kind", ["contrastive", "triplet"])
def test_a_selection_changes_the_trained_loss_and_not_the_values_of_all_tuples(kind: str) -> None:
    everything, hard = step(kind).values, step(kind, selection="batch_hard").values
    for key in ("loss", "active_ratio", "active_ratio.anchors", "active_tuples", "valid_tuples"):
        assert hard[f"dynamics.{key}"] == pytest.approx(everything[f"dynamics.{key}"]), key
    assert hard["dynamics.selected_tuples"] < hard["dynamics.valid_tuples"]
    assert hard["dynamics.loss_trained"] > everything["dynamics.loss_trained"]
    assert hard["dynamics.active_ratio.selected"] >= hard["dynamics.active_ratio"]


@pytest.mark.parametrize("selection", ["semi_hard", "batch_hard"])
def test_per_active_is_the_mean_gradient_of_the_tuples_trained_on(selection: str) -> None:
    seen = step("triplet", selection=selection)
    assert seen.output.selected is not None
    active = seen.output.selected["triplet"].active
    assert seen.output.divisor is not None
    total = seen.output.value * seen.output.divisor
    assert seen.values["dynamics.gradient_norm.per_active"] == pytest.approx(
        seen.norm_of(total / active)
    )


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("kind", KINDS)
def test_gradient_norms(kind: str, reduction: str) -> None:
    seen = step(kind, reduction=reduction)
    output, values = seen.output, seen.values
    assert 0 < int(output.active) < int(output.valid)
    assert values["dynamics.gradient_norm"] == pytest.approx(seen.norm_of(output.value))
    unclipped = nn.utils.clip_grad_norm_(seen.parameters, max_norm=float("inf"))
    assert values["dynamics.gradient_norm"] == pytest.approx(float(unclipped))
    assert output.divisor is not None
    total = output.value * output.divisor
    assert values["dynamics.gradient_norm.per_active"] == pytest.approx(
        seen.norm_of(total / output.active)
    )
    [at_embeddings] = torch.autograd.grad(output.value, seen.embeddings)
    assert values["dynamics.gradient_norm.embedding"] == pytest.approx(float(at_embeddings.norm()))


@pytest.mark.parametrize("kind", KINDS)
def test_the_reduction_changes_only_the_trained_loss_and_its_gradients(kind: str) -> None:
    by_reduction = [step(kind, reduction=reduction).values for reduction in REDUCTIONS]
    changing = {
        "dynamics.loss_trained",
        "dynamics.gradient_norm",
        "dynamics.gradient_norm.embedding",
    }
    for values in by_reduction[1:]:
        for key in values.keys() - changing:
            assert values[key] == pytest.approx(by_reduction[0][key]), key
        for key in changing:
            assert values[key] != pytest.approx(by_reduction[0][key]), key


def test_under_balanced_no_scale_gives_the_norm_per_active_tuple() -> None:
    seen = step("contrastive", reduction="balanced", pull_weight=0.3)
    assert "dynamics.gradient_norm.per_active" not in seen.values
    plain = step("contrastive").values
    changing = {
        "dynamics.loss_trained",
        "dynamics.gradient_norm",
        "dynamics.gradient_norm.embedding",
        "dynamics.pull_share",
    }
    for key in seen.values.keys() - changing:
        assert seen.values[key] == pytest.approx(plain[key]), key
    assert seen.values["dynamics.loss_trained"] == pytest.approx(seen.output.value.item())
    assert seen.values["dynamics.gradient_norm"] == pytest.approx(seen.norm_of(seen.output.value))


def test_loss_and_ratios() -> None:
    seen = step("contrastive", reduction="sum")
    values, parts = seen.values, seen.output.parts
    assert values["dynamics.loss"] == pytest.approx(
        values["dynamics.loss.positive"] + values["dynamics.loss.negative"]
    )
    assert values["dynamics.loss_trained"] == pytest.approx(values["dynamics.loss"] * 24 * 23 / 2)
    assert values["dynamics.valid_tuples"] == 24 * 23 / 2
    assert values["dynamics.active_tuples"] == sum(int(part.active) for part in parts.values())
    assert values["dynamics.active_ratio"] == pytest.approx(
        values["dynamics.active_tuples"] / values["dynamics.valid_tuples"]
    )
    assert values["dynamics.active_ratio.positive"] == 1
    assert 0 < values["dynamics.active_ratio.negative"] < 1


def test_no_active_tuple_differs_from_no_valid_tuple() -> None:
    apart = torch.zeros(24, 6, dtype=torch.float64)
    apart[:, 0] = LABELS * 100.0
    values = Step("triplet", apart, LABELS, margin=0).values
    assert values["dynamics.active_tuples"] == 0
    assert values["dynamics.active_ratio"] == 0
    assert values["dynamics.gradient_norm"] == 0
    assert math.isnan(values["dynamics.gradient_norm.per_active"])

    values = Step("triplet", items(), torch.zeros_like(LABELS)).values
    assert values["dynamics.valid_tuples"] == 0
    assert math.isnan(values["dynamics.loss"])
    assert math.isnan(values["dynamics.active_ratio"])
    assert math.isnan(values["dynamics.active_ratio.anchors"])
    assert math.isnan(values["dynamics.gradient_norm.per_active"])


def test_steps_with_nothing_to_learn_are_counted() -> None:
    empty_steps = dynamics.EmptySteps()
    apart = torch.zeros(24, 6, dtype=torch.float64)
    apart[:, 0] = LABELS * 100.0
    seen = [
        empty_steps.count(values)
        for values in (
            Step("triplet", items(), LABELS).values,
            Step("triplet", apart, LABELS, margin=0).values,
            Step("triplet", items(), torch.zeros_like(LABELS)).values,
            Step("triplet", items(), LABELS).values,
        )
    ]
    assert [row["dynamics.empty_steps"] for row in seen] == [0, 1, 2, 2]
    assert [row["dynamics.invalid_steps"] for row in seen] == [0, 0, 1, 1]


def test_counts_beyond_float32_are_exact() -> None:
    labels = torch.tensor([0] * 401 + [1] * 300 + [2] * 2)
    embeddings = torch.randn(703, 4).requires_grad_()
    output: LossOutput = losses.build({"kind": "triplet", "margin": 1000})(embeddings, labels)
    count = 401 * 400 * 302 + 300 * 299 * 403 + 2 * 1 * 701
    assert float(torch.tensor(float(count), dtype=torch.float32)) != count
    values = values_of(output, [embeddings], [])
    assert values["dynamics.active_tuples"] == values["dynamics.valid_tuples"] == count


def test_the_update_norm_is_that_of_the_real_step() -> None:
    seen = step("triplet")
    optimizer = torch.optim.SGD(seen.parameters, lr=0.25)
    weights = float(torch.cat([p.detach().flatten() for p in seen.parameters]).norm())
    before = dynamics.copy_parameters(seen.parameters)
    optimizer.step()
    numbers = dynamics.step_numbers(seen.output, [seen.embeddings], seen.parameters)
    values = dynamics.read_values([numbers | dynamics.update_norm(before, seen.parameters)])[0]
    expected = 0.25 * seen.values["dynamics.gradient_norm"] / weights
    assert values == seen.values | {"dynamics.update_norm": pytest.approx(expected)}


def test_only_the_given_parameters_count() -> None:
    """Parameters of the loss and frozen ones are not given."""
    seen = step("triplet")
    weight = seen.parameters[0]
    assert weight.grad is not None
    values = dynamics.read_values(
        [dynamics.step_numbers(seen.output, [seen.embeddings], [weight, torch.ones(3)])]
    )[0]
    assert values["dynamics.gradient_norm"] == pytest.approx(float(weight.grad.norm()))

"""Members of a stack learn what each of them learns alone, whoever else is in it."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import nn

from contract.comparison.training import (
    AdamOptimizer,
    AdamWOptimizer,
    Optimizer,
    SgdOptimizer,
)
from tests.support.stacked import HIDDEN, LINEAR, RAW, Setting, data, stack_of, take, train_alone
from worker.errors import InputError
from worker.together import Stack
from worker.together.networks import linear_layers
from worker.torch_utils import build_optimizer
from worker.trainer import dynamics

STEPS = 20
NUMBERS: dict[str, list[dict[str, float]]] = {
    "contrastive": [{"margin": 1.0}, {"margin": 0.4}, {"margin": 1.0, "positive_margin": 0.3}],
    "triplet": [{"margin": 0.2}, {"margin": 1.0}, {"margin": 0.05}],
    "info_nce": [{"temperature": 0.1}, {"temperature": 0.05}, {"temperature": 1.0}],
    "sup_con": [{"temperature": 0.1}, {"temperature": 0.05}, {"temperature": 1.0}],
    "n_pair": [{"scale": 1.0}, {"scale": 10.0}, {"scale": 3.0}],
    "arcface": [{"margin": 0.5, "scale": 16.0}, {"margin": 0.0}, {"margin": 0.3, "scale": 8.0}],
    "center_contrastive": [{"temperature": 0.1}, {"temperature": 0.5}, {"temperature": 1.0}],
}
PAIRS = [
    {"reduction": "balanced"},
    {"reduction": "balanced", "hinge": "linear", "pull_weight": 0.2},
    {"hinge": "linear"},
]
FORMS = [
    (kind, {"reduction": reduction})
    for kind in NUMBERS
    for reduction in ("mean", "sum", "mean_active")
] + [("contrastive", form) for form in PAIRS]


def settings(kind: str, form: dict[str, Any], **given: Any) -> list[Setting]:
    """Three members that differ in their seeds and in numbers of the loss and the optimiser."""
    optimizer: Optimizer = given.pop("optimizer", AdamOptimizer(lr=1e-3))
    return [
        Setting(
            {"kind": kind, **form, **numbers},
            seed,
            optimizer=optimizer.model_copy(
                update={"lr": optimizer.lr * (1 + seed), "weight_decay": 0.01 * seed}
            ),
            **given,
        )
        for seed, numbers in enumerate(NUMBERS[kind])
    ]


def check_alone(members: list[Setting]) -> None:
    """Check that each member of a stack learns what it learns alone, but for rounding."""
    together = take(stack_of(members, STEPS), STEPS)
    for setting, seen in zip(members, together, strict=True):
        alone = train_alone(setting, STEPS)
        values = [dynamics.step_values(numbers) for numbers in seen]
        assert [of.keys() for of in values] == [of.keys() for of in alone]
        for step, (ours, theirs) in enumerate(zip(values, alone, strict=True)):
            # Later on rounding may decide whether a tuple is active.
            rel = 1e-5 if step < 3 else 2e-2
            for key, value in theirs.items():
                if step < 3 or "loss" in key:
                    assert ours[key] == pytest.approx(value, rel=rel, abs=1e-6, nan_ok=True), key


@pytest.mark.parametrize(("kind", "form"), FORMS, ids=str)
def test_each_member_learns_what_it_learns_alone(kind: str, form: dict[str, Any]) -> None:
    check_alone(settings(kind, form))


@pytest.mark.parametrize(
    "optimizer",
    [AdamWOptimizer(loss_lr=0.02), SgdOptimizer(lr=0.02), SgdOptimizer(lr=0.02, momentum=0)],
    ids=str,
)
@pytest.mark.parametrize("encoder", [LINEAR, RAW], ids=["linear", "not on the sphere"])
@pytest.mark.parametrize("kind", ["triplet", "arcface"])
def test_every_optimizer_and_network_learns_the_same(
    kind: str, encoder: Any, optimizer: Optimizer
) -> None:
    check_alone(settings(kind, {}, encoder=encoder, optimizer=optimizer))


@pytest.mark.parametrize(("kind", "form"), FORMS, ids=str)
@pytest.mark.parametrize(
    ("batch", "features"), [(13, 7), pytest.param(24, 12, marks=pytest.mark.slow)]
)
def test_numbers_are_the_same_to_the_last_bit_whoever_else_is_there(
    kind: str, form: dict[str, Any], batch: int, features: int
) -> None:
    few = settings(kind, form, batch=batch, features=features)
    many = [replace(few[at % 3], seed=at) for at in range(24)]
    of_many = take(stack_of(many, STEPS), STEPS)
    for sizes in ([0], [1], [2], [5], [3, 7, 11, 2, 23]):
        of_some = take(stack_of([many[at] for at in sizes], STEPS), STEPS)
        for at, seen in zip(sizes, of_some, strict=True):
            assert str(seen) == str(of_many[at])  # as text, because NaN is not NaN


@pytest.mark.parametrize("kind", NUMBERS)
def test_a_member_that_diverges_or_leaves_changes_nothing_for_the_others(kind: str) -> None:
    members = settings(kind, {})
    whole = take(stack_of(members, STEPS), STEPS)
    broken = stack_of(members, STEPS)
    weight = next(broken._members[1].network.parameters())
    weight.data[0, 0] = torch.nan
    began = take(broken, 7)
    assert all(numbers["value"] != numbers["value"] for numbers in began[1])
    broken.keep([2, 0])
    rest = take(broken, STEPS - 7)
    for member, at in ((2, 0), (0, 1)):
        seen = [{k: v for k, v in of.items() if "update" not in k} for of in began[member]]
        seen += [{k: v for k, v in of.items() if "update" not in k} for of in rest[at]]
        right = [{k: v for k, v in of.items() if "update" not in k} for of in whole[member]]
        assert str(seen) == str(right)


@pytest.mark.parametrize(
    "optimizer", [AdamOptimizer(), SgdOptimizer(), SgdOptimizer(momentum=0)], ids=str
)
@pytest.mark.parametrize("kind", ["contrastive", "arcface"])
def test_the_state_of_an_optimizer_is_that_of_torch(kind: str, optimizer: Optimizer) -> None:
    members = settings(kind, {}, optimizer=optimizer)
    stack = stack_of(members, STEPS)
    take(stack, 5)
    state = stack.optimizer_state(1)
    own = members[1].member()
    theirs = build_optimizer(
        members[1].optimizer, own.network.parameters(), own.criterion.parameters()
    )
    theirs.load_state_dict(state)
    assert str(theirs.state_dict()) == str(state)
    weights = [
        [weight.detach().clone() for weight in part.parameters()]
        for part in (stack._members[1].network, stack._members[1].criterion)
    ]
    after = take(stack, 5)[1]
    alone = stack_of([members[1]], STEPS)
    alone._next = 5
    with torch.no_grad():
        for part, values in zip(
            (alone._members[0].network, alone._members[0].criterion), weights, strict=True
        ):
            for parameter, value in zip(part.parameters(), values, strict=True):
                parameter.copy_(value)
    alone.load_optimizer_state(0, state)
    assert str(take(alone, 5)[0]) == str(after)


def test_the_losses_of_untrained_networks_draw_from_their_own_stream() -> None:
    members = settings("n_pair", {})
    stack = stack_of(members, 6)
    sums = stack.losses([torch.Generator().manual_seed(7) for _ in members])
    alone = stack_of(members[1:2], 6).losses([torch.Generator().manual_seed(7)])
    assert sums[1] == alone[0]
    assert all(valid >= active > 0 and total > 0 for total, active, valid in sums)


def test_other_networks_are_refused() -> None:
    with pytest.raises(InputError, match="linear layers"):
        linear_layers(nn.Sequential(nn.Tanh()))
    assert len(linear_layers(Setting({"kind": "triplet"}, encoder=HIDDEN).member().network)) == 2


@pytest.mark.cuda
@pytest.mark.parametrize("kind", ["contrastive", "triplet"])
def test_steps_do_not_wait_for_the_device(kind: str) -> None:
    items, labels = (tensor.cuda() for tensor in data())
    members = [setting.member() for setting in settings(kind, {})]
    for member in members:
        member.network.cuda()
    stack = Stack(members, items, labels)
    stack.begin(torch.randint(len(items), (6, 3, 24), device="cuda"))
    stack.take_step()  # the first step sets things up and may wait
    torch.cuda.set_sync_debug_mode("error")
    try:
        for step in range(5):
            stack.take_step(update_norm=step == 3)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert len(stack.read()) == 6

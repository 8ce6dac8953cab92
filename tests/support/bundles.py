"""Bundles trained in this process."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch

from contract.comparison.spec import ComparisonSpec, parse_spec
from worker.reporting.reporter import ListReporter
from worker.trainer.bundle import Bundle, MemberSpec, Outcome

CPU = torch.device("cpu")
Series = dict[str, list[tuple[int, float | None]]]


def spec_of(
    loss: Mapping[str, Any], training: Mapping[str, Any] | None = None, **given: Any
) -> ComparisonSpec:
    """Return a small comparison of one arm on the digits, whose runs are bundled."""
    return parse_spec(
        {
            "name": "together",
            "data": {"kind": "digits"},
            "encoder": {"kind": "mlp", "hidden": 32, "layers": 1, "embedding_dim": 16},
            "training": {"epochs": 2, "batch_size": 64, **(training or {})},
            "arms": [{"name": "arm", "loss": dict(loss)}],
            "seeds": [0, 1, 2, 3, 4],
            **given,
        }
    )


def train_bundle(
    members: Sequence[tuple[ComparisonSpec, int]],
    cancelled: Callable[[int], bool] = lambda _: False,
) -> tuple[list[ListReporter], list[Outcome | None]]:
    """Train specs with their seeds together; return their reports and how they ended.

    Args:
        members: each with one arm.
        cancelled: asked with the number of a member whether it is.
    """
    reporters = [ListReporter() for _ in members]

    def ask(number: int) -> Callable[[], bool]:
        return lambda: cancelled(number)

    specs = [
        MemberSpec(spec, spec.arms[0], seed, reporter, ask(number))
        for number, ((spec, seed), reporter) in enumerate(zip(members, reporters, strict=True))
    ]
    ends: list[Outcome | None] = [None] * len(specs)

    def end(number: int, outcome: Outcome) -> None:
        assert ends[number] is None, "a run ends once"
        ends[number] = outcome

    Bundle(specs, CPU).run(end)
    return reporters, ends


def values_of(reporter: ListReporter) -> Series:
    """Return all series but the time that steps took."""
    return {key: points for key, points in reporter.series.items() if key != "run.elapsed_s"}

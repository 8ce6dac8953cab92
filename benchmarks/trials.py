"""The trials of an arm, trained in this process: as one computation, and one by one.

Both report every per-step dynamic and measure the objective on the validation split after every
epoch, into lists. What the data cost is paid once by the first way and by each trial in the second,
as in the product.
"""

from collections.abc import Mapping, Sequence

import torch

from contract.comparison.spec import ComparisonSpec
from contract.comparison.tuning import Value
from contract.tuning.specs import trial_spec
from worker.reporting.reporter import ListReporter
from worker.torch_utils import one_thread
from worker.trainer.bundle import Bundle, MemberSpec
from worker.trainer.training import Training

CPU = torch.device("cpu")


def trial_specs(
    spec: ComparisonSpec, arm: str, settings: Sequence[Mapping[str, Value]]
) -> list[ComparisonSpec]:
    """Return the specs of the trials of an arm with these settings."""
    return [trial_spec(spec, arm, params, None) for params in settings]


def train_together(specs: Sequence[ComparisonSpec]) -> list[ListReporter]:
    """Train trials as one computation.

    Raises:
        Exception: what ended a trial.
    """
    reporters = [ListReporter() for _ in specs]
    members = [
        MemberSpec(spec, spec.arms[0], spec.seeds[0], reporter)
        for spec, reporter in zip(specs, reporters, strict=True)
    ]

    def end(_: int, outcome: object) -> None:
        if isinstance(outcome, Exception):
            raise outcome

    Bundle(members, CPU).run(end)
    return reporters


def train_one_by_one(specs: Sequence[ComparisonSpec]) -> list[ListReporter]:
    """Train trials one after the other, with autograd."""
    reporters = [ListReporter() for _ in specs]
    with one_thread():
        for spec, reporter in zip(specs, reporters, strict=True):
            training = Training(spec, spec.arms[0], spec.seeds[0], CPU, reporter)
            training.run(lambda: False)
    return reporters

"""Every phase of a run gives signs of life, also within evaluations."""

import itertools
from collections import Counter
from collections.abc import Iterator

import pytest
import torch

from tests.support.specs import small
from worker.api.client import Claim
from worker.reporting import signs_of_life
from worker.reporting.reporter import ListReporter
from worker.reporting.signs_of_life import Sign
from worker.snapshots import NoKeeper
from worker.trainer.attempt import run_attempt
from worker.trainer.evaluation import EMBED_BATCH


@pytest.fixture
def told() -> Iterator[list[Sign]]:
    """All signs: on this clock a second passes between two of them, so that none is left out."""
    signs: list[Sign] = []
    seconds = itertools.count()
    signs_of_life.listen(signs.append, lambda: float(next(seconds)))
    yield signs
    signs_of_life.listen(None)


class OftenKeeper(NoKeeper):
    """Takes every checkpoint."""

    def ready_for_checkpoint(self) -> bool:
        return True


def test_every_phase_gives_signs_and_long_ones_many(told: list[Sign]) -> None:
    raw = small(training={"epochs": 2, "batch_size": 256})
    claim = Claim(run="r", attempt=1, lease_s=1, comparison="c", arm="triplet", seed=0, spec=raw)
    reporter = ListReporter()
    cpu = torch.device("cpu")
    run_attempt(claim, reporter, lambda: False, cpu, OftenKeeper(), checkpoint_s=1e-9)
    assert reporter.state == "succeeded"
    assert list(dict.fromkeys(sign.work for sign in told)) == [
        "building the model",
        "evaluation of the untrained model",
        "keeping a snapshot",
        "step",
        "taking a checkpoint",
        "evaluation",
        "evaluation on the test split",
    ]
    counts = Counter(sign.work for sign in told if not sign.long)
    batches = 1797 // EMBED_BATCH["cpu"]
    assert counts["step"] == reporter.total_steps
    for work in ("evaluation of the untrained model", "evaluation on the test split"):
        assert counts[work] > batches
    assert counts["evaluation"] > 2 * batches
    steps = [sign.step for sign in told if sign.work == "step"]
    assert steps == [*range(1, reporter.total_steps + 1)]
    assert all(sign.usual_s for sign in told if sign.work == "step" and sign.step != 1)

"""A trainer's life: warm up, wait for a claim, train it, leave."""

import logging
from typing import Final

import torch

from contract.comparison.spec import parse_spec
from worker.api.blobs import Blobs
from worker.errors import LeftError
from worker.machine import step_back
from worker.reporting.reporter import ListReporter
from worker.reporting.stream_reporter import Outbox, StreamReporter, connect
from worker.settings import Settings
from worker.slot.trainer_process import LEFT, Control
from worker.snapshots import SnapshotKeeper
from worker.trainer.attempt import attempt
from worker.trainer.training import Training

NICENESS: Final = 10
"""Where trainers want every core, whoever looks on is served first: pages and the API need little,
and at once."""
TINY: Final = {
    "name": "warm-up",
    "data": {"kind": "digits"},
    "encoder": {"kind": "convnet", "channels": 4, "embedding_dim": 8},
    "training": {"epochs": 1, "batch_size": 256},
    "arms": [
        {"name": "contrastive", "loss": {"kind": "contrastive"}},
        {"name": "triplet", "loss": {"kind": "triplet"}},
    ],
    "seeds": [0],
}


def main() -> int:
    """Train one run; 0 once its end is stored or no claim came, LEFT once it was given back."""
    control = Control.of_this_process()
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    settings = Settings.from_environment()
    step_back(NICENESS)
    torch.set_num_threads(settings.torch_threads)
    torch.backends.cudnn.allow_tf32 = False  # float32 means float32; who wants speed says bfloat16
    warm_up()
    control.say(ready=True)

    claim = control.wait_for_claim()
    if claim is None:
        return 0
    client = connect(settings.broker_url, timeout=2.0)
    reporter = StreamReporter(claim.run, claim.attempt, client, Outbox())
    control.follow(committed=reporter.committed, hurry=reporter.hurry)
    blobs = Blobs(settings)
    keeper = SnapshotKeeper(blobs, reporter, control.cancelled)
    try:
        attempt(
            claim,
            reporter,
            control.cancelled,
            torch.device(settings.device),
            keeper,
            fetch=lambda digest: blobs.fetch(digest, control.cancelled),
            checkpoint_s=settings.checkpoint_s,
            leaving=control.leaving,
        )
    except LeftError:
        reporter.close()
        return LEFT
    control.say(ended=True)
    reporter.close()
    return 0


def warm_up() -> None:
    """Train a tiny comparison: the first call of every layer, loss, optimiser and measure is slow.

    On the CPU, whatever the device: an idle spare must not hold a GPU.
    """
    spec = parse_spec(TINY)
    for arm in spec.arms:
        Training(spec, arm, 0, torch.device("cpu"), ListReporter()).run(lambda: False)

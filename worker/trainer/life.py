"""A trainer's life: warm up, wait for a claim, train it, leave."""

import logging
from typing import Final

import torch

from contract.spec import parse_spec
from worker.outbox import Outbox
from worker.reporter import ListReporter
from worker.settings import Settings
from worker.stream import StreamReporter, connect
from worker.trainer.attempt import attempt
from worker.trainer.control import Control
from worker.trainer.training import Training

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
    """Train one run; 0 once its end is stored or no claim came."""
    control = Control.of_this_process()
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    settings = Settings.from_environment()
    torch.set_num_threads(settings.torch_threads)
    warm_up()
    control.say(ready=True)

    claim = control.wait_for_claim()
    if claim is None:
        return 0
    client = connect(settings.broker_url, timeout=2.0)
    reporter = StreamReporter(claim.run, claim.attempt, client, Outbox())
    control.follow(committed=reporter.committed, cancel=reporter.hurry)
    attempt(claim, reporter, control.cancelled, torch.device(settings.device))
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

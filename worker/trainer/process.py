"""The course of a trainer process: warm up, wait for a claim, train it, report its end."""

import logging
from typing import Final

import torch

from contract.comparison.spec import parse_spec
from worker.api.blobs import BlobClient
from worker.errors import GivenBackError
from worker.machine import lower_priority
from worker.measure.inputs import set_blas_threads
from worker.reporting import signs_of_life
from worker.reporting.reporter import ListReporter
from worker.reporting.stream_reporter import Outbox, StreamReporter, connect_to_broker
from worker.settings import Settings
from worker.slot.pipes import GIVEN_BACK, SlotPipes
from worker.snapshots import SnapshotKeeper
from worker.trainer.attempt import run_attempt
from worker.trainer.training import Training

NICENESS: Final = 10
"""Below the pages and the API: they need little CPU time, but at once; trainers take all cores."""
WARM_UP_SPEC: Final = {
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
    """Warm up, train one run and return the exit code, as `train` does."""
    pipes = SlotPipes.of_this_process()
    settings = set_up()
    lower_priority(NICENESS)
    use_threads(settings.torch_threads)
    warm_up()
    return train(pipes, settings)


def set_up() -> Settings:
    """Set what holds for all trainers of a slot; return its settings."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    torch.backends.cudnn.allow_tf32 = False  # float32 means float32; bfloat16 is there for speed
    return Settings.from_environment()


def use_threads(number: int) -> None:
    """Set the number of CPU threads of torch, and of the libraries that NumPy and SciPy call."""
    torch.set_num_threads(number)
    set_blas_threads(number)


def train(pipes: SlotPipes, settings: Settings) -> int:
    """Say that this trainer is warm, and train the run that it is given.

    Returns:
        The exit code: 0 once the run's end is stored or if no claim came, GIVEN_BACK once the run
        was given back.
    """
    pipes.send(ready=True)
    claim = pipes.wait_for_claim()
    if claim is None:
        return 0
    signs_of_life.listen(pipes.send_sign)
    signs_of_life.begin("getting ready")
    client = connect_to_broker(settings.broker_url, timeout=2.0)
    reporter = StreamReporter(claim.run, claim.attempt, client, Outbox())
    pipes.listen(on_stored=reporter.mark_stored, on_end_soon=reporter.lift_limit)
    blobs = BlobClient(settings)
    keeper = SnapshotKeeper(blobs, reporter, pipes.cancelled)
    try:
        run_attempt(
            claim,
            reporter,
            pipes.cancelled,
            torch.device(settings.device),
            keeper,
            fetch=lambda digest: blobs.fetch(digest, pipes.cancelled),
            checkpoint_s=settings.checkpoint_s,
            worker_stopping=pipes.worker_stopping,
        )
    except GivenBackError:
        reporter.close()
        return GIVEN_BACK
    pipes.send(ended=True)
    reporter.close()
    return 0


def warm_up() -> None:
    """Train a tiny comparison, because the first call of each layer, loss and measure is slow.

    Always on the CPU: an idle trainer must not take a GPU's memory.
    """
    spec = parse_spec(WARM_UP_SPEC)
    for arm in spec.arms:
        Training(spec, arm, 0, torch.device("cpu"), ListReporter()).run(lambda: False)

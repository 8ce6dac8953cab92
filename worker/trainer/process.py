"""The course of a trainer process: warm up, wait for claims, train them, report their ends."""

import logging
import threading
from collections.abc import Sequence
from typing import Final

import torch

from contract.comparison.spec import parse_spec
from worker import machine
from worker.api.blobs import BlobClient, BlobStore
from worker.api.client import Claim
from worker.errors import GivenBackError
from worker.measure.inputs import set_blas_threads
from worker.processes.memory_limit import limit_memory
from worker.processes.priority import TRAINER_NICENESS, lower_priority
from worker.reporting import signs_of_life
from worker.reporting.event_sender import (
    BUNDLE_FLUSH_S,
    FLUSH_S,
    EventSender,
    connect_to_broker,
)
from worker.reporting.outbox import LIMIT_BYTES, Outbox
from worker.reporting.reporter import ListReporter
from worker.reporting.stream_reporter import StreamReporter
from worker.settings import Settings
from worker.slot.pipes import GIVEN_BACK, SlotPipes
from worker.snapshots import SnapshotKeeper
from worker.trainer.attempt import run_attempt
from worker.trainer.bundle_attempt import ClaimedRun, run_bundle
from worker.trainer.training import Training

MEMORY_SHARE: Final = 0.9
"""Share of the available memory that a run whose loss is a plug-in may take."""
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
    """Warm up, train what it is given and return the exit code, as `train` does."""
    pipes = SlotPipes.of_this_process()
    settings = set_up()
    lower_priority(TRAINER_NICENESS)
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


class TrainedRun:
    """A claimed run in this process: its reports, and what its slot has ordered.

    Attributes:
        claim: the run.
        reporter: takes its reports.
        keeper: takes its snapshots and checkpoints.
    """

    def __init__(
        self, claim: Claim, sender: EventSender, blobs: BlobStore, limit_bytes: int
    ) -> None:
        """Args:
        claim: the run.
        sender: sends its events.
        blobs: where its snapshots and checkpoints are stored.
        limit_bytes: of events that are not stored yet.
        """
        self.claim = claim
        outbox = Outbox(limit_bytes=limit_bytes)
        self.reporter = StreamReporter(claim.run, claim.attempt, sender, outbox)
        self.keeper = SnapshotKeeper(blobs, self.reporter, self.cancelled, claim.keep)
        self._cancelled = threading.Event()

    def cancelled(self) -> bool:
        """Return whether it is to stop before its end."""
        return self._cancelled.is_set()

    def mark_stored(self, seq: int) -> None:
        """Note that the backend has stored all its events up to number `seq`."""
        self.reporter.mark_stored(seq)

    def cancel(self) -> None:
        """Stop it before its end."""
        self._cancelled.set()
        self.end_soon()

    def give_up(self) -> None:
        """Stop it, and report nothing more."""
        self._cancelled.set()
        self.reporter.discard()

    def end_soon(self) -> None:
        """Accept all events: few still come."""
        self.reporter.lift_limit()


def train(pipes: SlotPipes, settings: Settings) -> int:
    """Say that this trainer is warm, and train the runs that it is given.

    Returns:
        The exit code: 0 once the ends of all runs are stored or if no claim came, GIVEN_BACK once
        one was given back.
    """
    pipes.send(ready=True)
    claims = pipes.wait_for_claims()
    if not claims:
        return 0
    signs_of_life.listen(pipes.send_sign)
    signs_of_life.begin("getting ready")
    client = connect_to_broker(settings.broker_url, timeout=2.0)
    sender = EventSender(client, flush_s=FLUSH_S if len(claims) == 1 else BUNDLE_FLUSH_S)
    blobs = BlobClient(settings)
    limit = LIMIT_BYTES // len(claims)
    runs = [TrainedRun(claim, sender, blobs, limit) for claim in claims]
    pipes.listen({run.claim.run: run for run in runs})
    all_ended = (
        _train_together(runs, pipes, settings, blobs)
        if len(runs) > 1
        else _train_alone(runs[0], pipes, settings, blobs)
    )
    if all_ended:
        pipes.send(ended=True)
    for run in runs:
        run.reporter.close()
    sender.close()
    return 0 if all_ended else GIVEN_BACK


def _train_alone(run: TrainedRun, pipes: SlotPipes, settings: Settings, blobs: BlobClient) -> bool:
    """Train one run; return whether it has ended, and was not given back."""
    if run.claim.plugin is not None:
        _contain(torch.device(settings.device))
    try:
        run_attempt(
            run.claim,
            run.reporter,
            run.cancelled,
            torch.device(settings.device),
            run.keeper,
            fetch=lambda digest: blobs.fetch(digest, run.cancelled),
            checkpoint_s=settings.checkpoint_s,
            worker_stopping=pipes.worker_stopping,
        )
    except GivenBackError:
        return False
    return True


def _contain(device: torch.device) -> None:
    """Keep code from outside from filling the machine's memory: it gets an error instead."""
    if device.type == "cpu":  # CUDA maps far more than it uses
        limit_memory(int(MEMORY_SHARE * machine.available_memory(device)))


def _train_together(
    runs: Sequence[TrainedRun], pipes: SlotPipes, settings: Settings, blobs: BlobClient
) -> bool:
    """Train several runs as one computation; return whether all have ended, and none was given
    back."""

    def claimed(run: TrainedRun) -> ClaimedRun:
        def fetch(digest: str) -> bytes:
            return blobs.fetch(digest, run.cancelled)

        return ClaimedRun(run.claim, run.reporter, run.cancelled, run.keeper, fetch)

    given_back = run_bundle(
        [claimed(run) for run in runs],
        torch.device(settings.device),
        checkpoint_s=settings.checkpoint_s,
        worker_stopping=pipes.worker_stopping,
    )
    return not given_back


def warm_up() -> None:
    """Train a tiny comparison, because the first call of each layer, loss and measure is slow.

    Always on the CPU: an idle trainer must not take a GPU's memory. Bundles need none of their own:
    after this one, the first takes no longer than others.
    """
    spec = parse_spec(WARM_UP_SPEC)
    for arm in spec.arms:
        Training(spec, arm, 0, torch.device("cpu"), ListReporter()).run(lambda: False)

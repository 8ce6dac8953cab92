"""The training loop: build everything from the spec, step, measure, read the test split once.

The likely cause of a loss that is no number any more, and what to do about it.
"""

import math
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Final

import torch
from torch import Tensor

from contract.comparison.data import modalities
from contract.comparison.encoder import Encoder
from contract.comparison.loss import Loss
from contract.comparison.spec import Arm, ComparisonSpec
from contract.comparison.training import Training as TrainingSpec
from worker import losses, machine
from worker.errors import DivergedError, NotFiniteError
from worker.reporting.progress import SILENT, Progress
from worker.reporting.reporter import EndState, Reporter
from worker.snapshots import Checkpoint, Keeper, NoKeeper
from worker.torch_utils import build_optimizer, stream_generator, stream_seed
from worker.trainer import batches, dynamics
from worker.trainer.batches import augment_batch
from worker.trainer.checkpoint import Checkpoints, RandomState, Stateful, training_identity
from worker.trainer.dynamics import StepBuffer
from worker.trainer.evaluation import (
    BestEpoch,
    Evaluation,
    embed_as_points,
    reference_values,
    untrained_values,
)
from worker.trainer.inputs import prepare_inputs
from worker.trainer.memory_estimate import training_memory
from worker.trainer.model import build_model, compute_loss


def likely_cause(training: TrainingSpec, encoder: Encoder, loss: Loss) -> str:
    """Advice for people, most likely cause first, with this run's own values."""
    lr = training.optimizer.lr
    advice = [
        f"The learning rate {lr:g} of {training.optimizer.kind} is probably too high; "
        f"try {lr / 10:g}."
    ]
    if not encoder.normalize:
        advice.append(
            "The embeddings are not L2-normalised, so that nothing bounds their distances; "
            "switch L2-normalise on."
        )
    if loss.kind in {"contrastive", "triplet"} and loss.margin > 10:
        advice.append(f"The margin {loss.margin:g} is large; try 1.")
    if loss.reduction == "sum":
        advice.append(
            "The loss is summed over all tuples, which makes its gradient grow with the batch; "
            "try the reduction mean."
        )
    return " ".join(advice)


UPDATE_NORM_EVERY: Final = 10
"""Steps; it needs a copy of all weights."""


class Training:
    """One run: an arm trained from one seed. Everything is built before the first step."""

    def __init__(
        self,
        spec: ComparisonSpec,
        arm: Arm,
        seed: int,
        device: torch.device,
        reporter: Reporter,
        *,
        progress: Progress = SILENT,
        keeper: Keeper | None = None,
        checkpoint_s: float = 0.0,
        worker_stopping: Callable[[], bool] = lambda: False,
    ) -> None:
        """Build it; the keeper gets a checkpoint each so many seconds (0: none), and on leaving."""
        self.step = 0
        """Optimiser steps done."""
        self._spec, self._arm, self._seed = spec, arm, seed
        self._settings = spec.training_of(arm)
        self._reporter = reporter
        self._keeper = keeper or NoKeeper()
        self._device = device
        self._readings = StepBuffer(device)
        self._empty_steps = dynamics.EmptySteps()
        self._best = BestEpoch()

        inputs = prepare_inputs(spec, device, progress)
        self._data = inputs.data
        self._samples = inputs.samples
        self._sample_items = self._data.validation.take(inputs.samples.places)
        # Every part draws from a stream of its own: for one seed all arms start from the same
        # encoder and see the same batches, whatever their losses draw.
        torch.manual_seed(stream_seed(seed, "encoder"))
        self._model = build_model(spec, self._data, progress).to(device)
        if device.type == "cpu":  # where convolutions and pooling are up to twice as fast so
            self._model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        torch.manual_seed(stream_seed(seed, "loss"))
        dim = spec.encoder.embedding_dim
        self._loss = losses.build(arm.loss, classes=self._data.classes, dim=dim).to(device)
        self._weights = [w for w in self._model.parameters() if w.requires_grad]
        self._check_memory()
        self._tuples = stream_generator(seed, "tuples")
        self._augmentation = stream_generator(seed, "augmentation")
        parameters = [*self._weights, *self._loss.parameters()]
        self._optimizer = build_optimizer(self._settings.optimizer, parameters)
        self._evaluation = Evaluation(self._data, self._model, data_seed=spec.data.seed)
        self._references = reference_values(inputs)
        # All that changes from step to step; what else there is follows from spec and seed.
        parts: dict[str, Stateful] = {
            "model": self._model,
            "loss": self._loss,
            "optimizer": self._optimizer,
            "best": self._best,
            "readings": self._readings,
            "empty steps": self._empty_steps,
            "tuples": RandomState(device, self._tuples),
            "augmentation": RandomState(device, self._augmentation),
            "other draws": RandomState(device),
        }
        own = training_identity(spec, arm, seed, device)
        self._checkpoints = Checkpoints(
            own, parts, self._keeper, checkpoint_s, worker_stopping=worker_stopping
        )

    def restore(self, saved: Checkpoint) -> None:
        """Go on from a checkpoint instead of from the first step.

        Raises:
            CheckpointError: it is not this training's, or damaged; build it anew then.
        """
        self._checkpoints.restore(saved)
        self.step = saved.step

    def run(self, cancelled: Callable[[], bool]) -> EndState:
        """Train to the end, or until cancelled between two steps.

        Raises:
            DivergedError: the loss is no finite number any more; all points up to then are
                reported.
            LeftError: it is to leave, and the checkpoint is with the keeper.
        """
        epochs, evaluate_every = self._settings.epochs, self._spec.measure.evaluate_every
        self._reporter.started(
            device=_name(self._device),
            total_steps=epochs * self._steps_per_epoch,
            steps_per_epoch=self._steps_per_epoch,
            after=self.step,
        )
        if not self.step:
            self._show_untrained()

        done, begun = divmod(self.step, self._steps_per_epoch)
        for epoch in range(done + 1, epochs + 1):
            left = islice(self.batches(epoch), begun, None)
            begun = 0
            for batch in left:
                # Here, so that one at an epoch's end comes behind what is measured there.
                if self.step and self._checkpoints.due():
                    self._report()
                    self._checkpoints.save(self.step)
                self.step += 1
                self._take_step(batch)
                if self._readings.due():
                    self._report()
                if cancelled():
                    self._report()
                    return "cancelled"
            self._report()
            if epoch % evaluate_every == 0 or epoch == epochs:
                values = self._validate()
                self._reporter.points(self.step, values)
                self._best.offer(values, self.step, self._model)
            if epoch % self._spec.measure.snapshot_every == 0 or epoch == epochs:
                self._keep(epoch)

        # Only now, and only once, does anything look at the test split.
        self._best.restore(self._model)
        self._reporter.points(self._best.step, self._evaluation.test())
        return "succeeded"

    def _show_untrained(self) -> None:
        """What is told of a run before its first step."""
        if self._evaluation.caveats:
            self._reporter.log(self._evaluation.caveats)
        untrained = stream_generator(self._seed, "first pass")
        train = self._data.train
        self._reporter.points(
            0, untrained_values(self._model, self._loss, train, self.batches(1), untrained)
        )
        self._reporter.points(0, self._validate() | self._references)
        self._keep(0)

    @property
    def _steps_per_epoch(self) -> int:
        return batches.steps_per_epoch(len(self._data.train.labels), self._settings.batch_size)

    def batches(self, epoch: int) -> Iterator[Tensor]:
        """Indices into the training split, batch by batch; they depend on seed and epoch only."""
        return batches.epoch_batches(
            self._data.train.labels,
            sampler_spec=self._settings.sampler,
            batch_size=self._settings.batch_size,
            seed=self._seed,
            epoch=epoch,
        )

    def _check_memory(self) -> None:
        batch = next(self.batches(1))
        needs = training_memory(self._model, self._loss, self._data, self._settings, batch)
        advice = (
            "Take a smaller batch size, a smaller encoder or images, or a frozen backbone, of "
            "which only the head trains."
        )
        machine.check_memory(needs, self._device, advice, certain_share=machine.MEASURED_SHARE)

    def _take_step(self, batch: Tensor) -> None:
        """One optimiser step; what it measured goes to the readings. Waits for no GPU."""
        self._readings.begin()
        part = augment_batch(
            self._data.train.take(batch),
            modalities(self._spec.data),
            self._settings.augmentation,
            self._augmentation,
        )
        self._optimizer.zero_grad()
        embeddings: tuple[Tensor, ...] = self._model(part)
        for own in embeddings:
            own.retain_grad()
        output = compute_loss(self._loss, embeddings, part.labels, self._tuples)
        output.value.backward()
        seen = dynamics.step_numbers(output, embeddings, self._weights)
        now = self.step % UPDATE_NORM_EVERY == 0
        seen = dynamics.optimizer_step(self._optimizer, seen, self._weights, with_update_norm=now)
        self._readings.add(self.step, seen)

    def _report(self) -> None:
        """Read and report the steps since the last time.

        Raises:
            DivergedError: the loss of one of them is no finite number; those after it are not
                reported.
        """
        for step, values in self._readings.read():
            counts = self._empty_steps.count(values)
            if counts["dynamics.empty_steps"] == 1 and not values["dynamics.active_tuples"]:
                state = "nothing active" if values["dynamics.valid_tuples"] else "no valid tuple"
                self._reporter.log(
                    [
                        f"step {step}: {state}, so that this batch had nothing to teach; "
                        "dynamics.empty_steps counts such steps"
                    ]
                )
            self._reporter.points(step, values | counts)
            loss = values["dynamics.loss_trained"]
            if not math.isfinite(loss):
                raise self._diverged(f"the loss became {loss} at step {step}", step)

    def _keep(self, epoch: int) -> None:
        """Keep a snapshot, unless the weights are broken, which the next step tells."""
        embeddings = embed_as_points(self._model, self._sample_items)
        if bool(embeddings.isfinite().all()):
            self._keeper.keep_snapshot(self._samples, epoch, self.step, embeddings)

    def _validate(self) -> dict[str, float]:
        try:
            return self._evaluation.validation()
        except NotFiniteError as error:  # the last step broke the weights, its loss was fine yet
            raise self._diverged(str(error), self.step) from error

    def _diverged(self, message: str, step: int) -> DivergedError:
        cause = likely_cause(self._settings, self._spec.encoder, self._arm.loss)
        return DivergedError(message, cause=cause, step=step)


def _name(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type

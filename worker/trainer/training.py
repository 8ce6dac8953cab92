"""The training loop: build everything from the spec, take the steps, measure, report.

The test split is measured at the end, with the weights of the last and of the best epoch.
"""

import math
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Final

import torch
from torch import Tensor

from contract.comparison.data import modalities
from contract.comparison.spec import Arm, ComparisonSpec
from contract.metrics import TEST_LAST_PREFIX, TEST_PREFIX
from worker import losses, machine
from worker.errors import DivergedError, NotFiniteError
from worker.reporting import signs_of_life
from worker.reporting.progress import SILENT, Progress
from worker.reporting.reporter import EndState, Reporter
from worker.snapshots import Checkpoint, Keeper, NoKeeper
from worker.torch_utils import build_optimizer, stream_generator, stream_seed
from worker.trainer import batches, dynamics
from worker.trainer.batches import augment_batch
from worker.trainer.checkpoint import Checkpoints, RandomState, Stateful, training_identity
from worker.trainer.divergence import Lengths, likely_cause
from worker.trainer.dynamics import StepBuffer
from worker.trainer.evaluation import BestEpoch, Evaluation, embed_as_points
from worker.trainer.families import families_at
from worker.trainer.inputs import prepare_inputs
from worker.trainer.memory_estimate import training_memory
from worker.trainer.model import build_model, compute_loss
from worker.trainer.references import reference_values, untrained_values
from worker.trainer.states import Notice, TrainingStates, is_angular

UPDATE_NORM_EVERY: Final = 10
"""Steps between two measurements of the update norm, which copies all weights."""


class Training:
    """One run: an arm trained from one seed. Everything is built before the first step.

    Attributes:
        step: optimiser steps done.
    """

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
        """Build the model, the loss, the optimiser and the data of the run.

        Args:
            spec: of the comparison.
            arm: of the spec.
            seed: of all random streams.
            device: on which it trains.
            reporter: takes all values.
            progress: takes the progress of the work before the first step.
            keeper: takes snapshots and checkpoints; None keeps none.
            checkpoint_s: seconds between checkpoints; 0 for none.
            worker_stopping: returns whether the run is to be given back at a checkpoint.
        """
        self.step = 0
        identity = training_identity(spec, arm, seed, device)
        spec = spec.model_copy(update={"data": spec.data_of(seed)})
        self._spec, self._arm, self._seed = spec, arm, seed
        self._settings = spec.training_of(arm)
        self._reporter = reporter
        self._keeper = keeper or NoKeeper()
        self._device = device
        self._step_buffer = StepBuffer(device)
        self._empty_steps = dynamics.EmptySteps()
        self._best = BestEpoch()

        inputs = prepare_inputs(spec, device, progress)
        signs_of_life.begin("building the model")
        self._data = inputs.data
        self._samples = inputs.samples
        self._sample_items = self._data.validation.take(inputs.samples.places)
        # Every part draws from its own random stream: with the same seed all arms start from the
        # same encoder and see the same batches, whatever their losses draw.
        torch.manual_seed(stream_seed(seed, "encoder"))
        self._model = build_model(spec, self._data, progress).to(device)
        if device.type == "cpu":  # convolutions and pooling are up to twice as fast in this format
            self._model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        torch.manual_seed(stream_seed(seed, "loss"))
        dim = spec.encoder.embedding_dim
        self._loss = losses.build(arm.loss, classes=self._data.classes, dim=dim).to(device)
        self._weights = [w for w in self._model.parameters() if w.requires_grad]
        self._check_memory()
        self._tuples = stream_generator(seed, "tuples")
        self._augmentation = stream_generator(seed, "augmentation")
        self._optimizer = build_optimizer(
            self._settings.optimizer, self._weights, self._loss.parameters()
        )
        normalize = spec.encoder.normalize
        self._evaluation = Evaluation(
            self._data, self._model, data_seed=spec.data.seed, normalize=normalize
        )
        self._references = reference_values(inputs, families_at(spec, 0, self._settings.epochs))
        self._lengths = Lengths(normalize=normalize)
        self._states = TrainingStates(
            steps_per_epoch=self._steps_per_epoch,
            angular=is_angular(arm.loss, normalize=normalize),
            references=self._references,
        )
        # All that changes from step to step; everything else follows from spec and seed. The names
        # are part of a checkpoint's format.
        parts: dict[str, Stateful] = {
            "model": self._model,
            "loss": self._loss,
            "optimizer": self._optimizer,
            "best": self._best,
            "readings": self._step_buffer,
            "empty steps": self._empty_steps,
            "states": self._states,
            "tuples": RandomState(device, self._tuples),
            "augmentation": RandomState(device, self._augmentation),
            "other draws": RandomState(device),
        }
        self._checkpoints = Checkpoints(
            identity, parts, self._keeper, checkpoint_s, worker_stopping=worker_stopping
        )

    def restore(self, checkpoint: Checkpoint) -> None:
        """Go on from a checkpoint instead of the first step.

        Raises:
            CheckpointError: it belongs to another training or is damaged. Build the training again
                then.
        """
        self._checkpoints.restore(checkpoint)
        self.step = checkpoint.step

    def run(self, cancelled: Callable[[], bool]) -> EndState:
        """Train to the end, or until cancelled between two steps.

        Raises:
            DivergedError: the loss is not finite any more; all values before that are reported.
            GivenBackError: the run is to be given back, and the keeper has its checkpoint.
        """
        epochs, evaluate_every = self._settings.epochs, self._spec.measure.evaluate_every
        self._reporter.started(
            device=_device_name(self._device),
            total_steps=epochs * self._steps_per_epoch,
            steps_per_epoch=self._steps_per_epoch,
            after=self.step,
            splits=self._data.sizes,
        )
        self._notice(self._states.current)
        if cancelled():
            return "cancelled"
        if not self.step:
            signs_of_life.begin("evaluation of the untrained model")
            self._report_untrained()

        done, begun = divmod(self.step, self._steps_per_epoch)
        for epoch in range(done + 1, epochs + 1):
            remaining = islice(self.batches(epoch), begun, None)
            begun = 0
            for batch in remaining:
                # Before the step: a checkpoint at the end of an epoch comes after its evaluation.
                if self.step and self._checkpoints.due():
                    signs_of_life.begin("taking a checkpoint", self.step)
                    self._report()
                    self._checkpoints.save(self.step)
                self.step += 1
                signs_of_life.begin(signs_of_life.STEP, self.step)
                self._take_step(batch)
                if self._step_buffer.due():
                    self._report()
                if cancelled():
                    self._report()
                    return "cancelled"
            self._report()
            if epoch % evaluate_every == 0 or epoch == epochs:
                signs_of_life.begin("evaluation", self.step)
                values = self._validate(epoch)
                self._reporter.points(self.step, values)
                self._notice(self._states.after_evaluation(self.step, values))
                if self._chooses_epoch:
                    self._best.offer(values, self.step, self._model)
            if epoch % self._spec.measure.snapshot_every == 0 or epoch == epochs:
                self._keep_snapshot(epoch)

        if self._spec.trial is None:
            self._report_test()
        return "succeeded"

    @property
    def _chooses_epoch(self) -> bool:
        """Whether the test split is also measured at the best epoch."""
        return self._spec.trial is None and not self._spec.tests_last_epoch

    def _report_untrained(self) -> None:
        """Report the values of the untrained model, as those of step 0."""
        if self._evaluation.caveats:
            self._reporter.log(self._evaluation.caveats)
        untrained = stream_generator(self._seed, "first pass")
        train = self._data.train
        self._reporter.points(
            0, untrained_values(self._model, self._loss, train, self.batches(1), untrained)
        )
        values = self._validate(0)
        self._reporter.points(0, values | self._references)
        self._notice(self._states.after_evaluation(0, values))
        self._keep_snapshot(0)

    def _notice(self, notices: Iterable[Notice]) -> None:
        for notice in notices:
            self._reporter.noticed(notice.state, notice.step, notice.message, over=notice.over)
            if notice.state != "overflow":  # which ends the run, with its own line
                self._reporter.log([notice.line])

    def _report_test(self) -> None:
        """Measure and report the test split, which nothing was chosen by.

        It is measured with the last weights, and with those of the best epoch where that is another
        one.
        """
        signs_of_life.begin("evaluation on the test split", self.step)
        try:
            last = best = self._evaluation.test()
            best_step = self._best.step if self._chooses_epoch else self.step
            if best_step != self.step:
                self._best.restore(self._model)
                best = self._evaluation.test()
        except NotFiniteError as error:
            raise self._overflow(str(error), self.step) from error
        for prefix, step, values in (
            (TEST_PREFIX, best_step, best),
            (TEST_LAST_PREFIX, self.step, last),
        ):
            self._reporter.points(step, {f"{prefix}{key}": v for key, v in values.items()})

    @property
    def _steps_per_epoch(self) -> int:
        return batches.steps_per_epoch(len(self._data.train.labels), self._settings.batch_size)

    def batches(self, epoch: int) -> Iterator[Tensor]:
        """Return the batches of an epoch, as indices into the training split.

        They depend only on seed and epoch.
        """
        return batches.epoch_batches(
            self._data.train.labels,
            sampler_spec=self._settings.sampler,
            batch_size=self._settings.batch_size,
            seed=self._seed,
            epoch=epoch,
        )

    def _check_memory(self) -> None:
        """Raise MemoryEstimateError if the training does not fit into memory."""
        batch = next(self.batches(1))
        needs = training_memory(self._model, self._loss, self._data, self._settings, batch)
        advice = (
            "Take a smaller batch size, a smaller encoder or images, or a frozen backbone, of "
            "which only the head trains."
        )
        machine.check_memory(needs, self._device, advice, certain_share=machine.MEASURED_SHARE)

    def _take_step(self, batch: Tensor) -> None:
        """Take one optimiser step and buffer its numbers, without waiting for a GPU."""
        self._step_buffer.begin()
        items = augment_batch(
            self._data.train.take(batch),
            modalities(self._spec.data),
            self._settings.augmentation,
            self._augmentation,
        )
        self._optimizer.zero_grad()
        embeddings: tuple[Tensor, ...] = self._model(items)
        for points in embeddings:
            points.retain_grad()
        self._lengths.see(embeddings)
        output = compute_loss(self._loss, embeddings, items.labels, self._tuples)
        output.value.backward()
        numbers = dynamics.step_numbers(output, embeddings, self._weights)
        with_update_norm = self.step % UPDATE_NORM_EVERY == 0
        numbers = dynamics.optimizer_step(
            self._optimizer, numbers, self._weights, with_update_norm=with_update_norm
        )
        self._step_buffer.add(self.step, numbers)

    def _report(self) -> None:
        """Read and report the values of the buffered steps.

        Raises:
            DivergedError: the loss of a step is not finite, and the steps after it are not
                reported; or float32 cannot hold the embeddings.
        """
        problem = self._lengths.problem()
        for step, values in self._step_buffer.read():
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
            self._notice(self._states.after_step(step, values | counts))
            loss = values["dynamics.loss_trained"]
            if not math.isfinite(loss) and problem:
                raise self._overflow(problem, step)
            if not math.isfinite(loss):
                raise self._diverged(f"the loss became {loss} at step {step}", step)
        if problem:
            raise self._overflow(problem, self.step)

    def _keep_snapshot(self, epoch: int) -> None:
        """Keep a snapshot, unless the embeddings are not finite, which the next step reports; none
        of a trial."""
        if self._spec.trial is not None:
            return
        signs_of_life.begin("keeping a snapshot", self.step)
        embeddings = embed_as_points(self._model, self._sample_items)
        if bool(embeddings.isfinite().all()):
            self._keeper.keep_snapshot(self._samples, epoch, self.step, embeddings)

    def _validate(self, epoch: int) -> dict[str, float]:
        try:
            families = families_at(self._spec, epoch, self._settings.epochs)
            return self._evaluation.validation(families)
        except (
            NotFiniteError
        ) as error:  # the last step made the weights infinite, though its loss was finite
            raise self._overflow(str(error), self.step) from error

    def _overflow(self, problem: str, step: int) -> DivergedError:
        """Note that the run is in the state overflow, and return the error that ends it."""
        error = self._diverged(f"{problem}; seen at step {step}", step)
        self._notice([Notice("overflow", step, f"{error}. {error.cause}")])
        return error

    def _diverged(self, message: str, step: int) -> DivergedError:
        cause = likely_cause(self._settings, self._spec.encoder, self._arm.loss)
        return DivergedError(message, cause=cause, step=step)


def _device_name(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type

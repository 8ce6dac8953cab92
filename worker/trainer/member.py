"""One run: what is built from its spec, and how it is measured and reported.

How its steps are computed is left to `training`, alone, or to `bundle`, together with others.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Self

import torch
from torch import Tensor

from contract.comparison.data import shape_of
from contract.comparison.spec import Arm, ComparisonSpec
from contract.metrics import TEST_LAST_PREFIX, TEST_PREFIX, objective_of
from worker.api.plugin_ref import PluginRef
from worker.artifacts import TrainedModel
from worker.data import Split
from worker.errors import DivergedError, NotFiniteError
from worker.reporting import signs_of_life
from worker.reporting.progress import Progress
from worker.reporting.reporter import Reporter
from worker.snapshots import Checkpoint, Keeper, NoKeeper
from worker.torch_utils import stream_generator, stream_seed
from worker.trainer import batches, dynamics
from worker.trainer.checkpoint import (
    Checkpoints,
    RandomState,
    Stateful,
    Weights,
    training_identity,
)
from worker.trainer.divergence import likely_cause
from worker.trainer.evaluation import BestEpoch, Evaluation, Measured, embed_as_points
from worker.trainer.families import families_at
from worker.trainer.inputs import Inputs, prepare_inputs
from worker.trainer.kept_model import keep_model
from worker.trainer.memory_estimate import training_memory
from worker.trainer.model import build_loss, build_model
from worker.trainer.references import reference_values
from worker.trainer.states import Notice, TrainingStates, is_angular

UPDATE_NORM_EVERY: Final = 10
"""Steps between two measurements of the update norm, which copies all weights."""


@dataclass(frozen=True)
class Prepared:
    """What runs on the same data share."""

    inputs: Inputs
    sample_items: Split
    """The held-out samples of their snapshots."""
    references: Mapping[str, float]
    evaluation: Evaluation
    """Of no model yet."""

    @classmethod
    def of(cls, inputs: Inputs, spec: ComparisonSpec, arm: Arm, seed: int) -> Self:
        """Take the samples and the reference values from the inputs of a run."""
        data, normalize = inputs.data, spec.encoder.normalize
        return cls(
            inputs,
            data.validation.take(inputs.samples.places),
            reference_values(inputs, families_at(spec, 0, spec.training_of(arm).epochs)),
            Evaluation(data, data_seed=spec.data_of(seed).seed, normalize=normalize),
        )


def prepare_inputs_of_run(
    spec: ComparisonSpec, seed: int, device: torch.device, progress: Progress
) -> Inputs:
    """Prepare the inputs of the run with a seed, which may have data of its own.

    Raises:
        DataError, MemoryEstimateError, CancelledError: as `prepare_inputs`.
    """
    return prepare_inputs(spec.model_copy(update={"data": spec.data_of(seed)}), device, progress)


class Member:
    """A run that is trained alone or together with others.

    Attributes:
        step: optimiser steps done.
        model: the untrained model at first.
        loss: its loss.
        tuples: the random stream of losses that draw tuples.
        augmentation: the random stream of augmentation.
    """

    def __init__(
        self,
        spec: ComparisonSpec,
        arm: Arm,
        seed: int,
        device: torch.device,
        reporter: Reporter,
        *,
        prepared: Prepared,
        progress: Progress,
        keeper: Keeper | None = None,
        plugin: PluginRef | None = None,
    ) -> None:
        """Build the model and the loss.

        Args:
            spec: of the comparison.
            arm: of the spec.
            seed: of all random streams.
            device: on which it trains.
            reporter: takes all values.
            prepared: its data.
            progress: takes the progress of downloads of weights.
            keeper: takes snapshots and checkpoints; None keeps none.
            plugin: where its loss lies, if that is a plug-in.
        """
        self.step = 0
        self._loss_digest = plugin.digest if plugin else ""
        self.spec, self.arm, self.seed, self.device = spec, arm, seed, device
        self.settings = spec.training_of(arm)
        self.data = prepared.inputs.data
        self._prepared = prepared
        self._reporter = reporter
        self._keeper = keeper or NoKeeper()
        self._empty_steps = dynamics.EmptySteps()
        self._objective = objective_of(shape_of(spec.data))
        self._best = BestEpoch(self._objective)
        self._last_score = math.nan
        signs_of_life.begin("building the model")
        # Every part draws from its own random stream: with the same seed all arms start from the
        # same encoder and see the same batches, whatever their losses draw.
        torch.manual_seed(stream_seed(seed, "encoder"))
        self.model = build_model(spec, self.data, progress).to(device)
        if device.type == "cpu":  # convolutions and pooling are up to twice as fast in this format
            self.model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        torch.manual_seed(stream_seed(seed, "loss"))
        self.loss = build_loss(spec, arm, self.data.classes, plugin).to(device)
        self.tuples = stream_generator(seed, "tuples")
        self.augmentation = stream_generator(seed, "augmentation")
        self._evaluation = prepared.evaluation.of(self.model)
        self._states = TrainingStates(
            steps_per_epoch=self.steps_per_epoch,
            angular=getattr(self.loss, "angular", False)
            or is_angular(arm.loss, normalize=spec.encoder.normalize),
            references=prepared.references,
            objective=self._objective,
        )

    @property
    def steps_per_epoch(self) -> int:
        """Number of batches of an epoch."""
        return batches.steps_per_epoch(self.data.train.examples, self.settings.batch_size)

    def batches(self, epoch: int) -> Iterator[Tensor]:
        """Return the batches of an epoch, as indices of items, or tuples, of the training split.

        They depend only on seed and epoch.
        """
        return batches.epoch_batches(
            self.data.train.drawn_by,
            sampler_spec=self.settings.sampler,
            batch_size=self.settings.batch_size,
            seed=self.seed,
            epoch=epoch,
        )

    def memory(self) -> dict[str, int]:
        """Return the bytes that its training needs besides data and model, by their purpose."""
        batch = next(self.batches(1))
        return training_memory(self.model, self.loss, self.data, self.settings, batch)

    def checkpoints(
        self,
        optimizer: Stateful,
        readings: Stateful,
        checkpoint_s: float,
        worker_stopping: Callable[[], bool],
        *,
        together: int = 1,
    ) -> Checkpoints:
        """Return what takes its checkpoints.

        Args:
            optimizer: its optimiser.
            readings: the time that its steps took.
            checkpoint_s: seconds between checkpoints; 0 for none.
            worker_stopping: returns whether the run is to be given back at a checkpoint.
            together: runs that train as one.
        """
        # All that changes from step to step; everything else follows from spec and seed. The names
        # are part of a checkpoint's format.
        parts: dict[str, Stateful] = {
            "model": Weights(self.model),
            "loss": Weights(self.loss),
            "optimizer": optimizer,
            "best": self._best,
            "readings": readings,
            "empty steps": self._empty_steps,
            "states": self._states,
            "tuples": RandomState(self.device, self.tuples),
            "augmentation": RandomState(self.device, self.augmentation),
            "other draws": RandomState(self.device),
        }
        identity = training_identity(self.spec, self.arm, self.seed, self.device, self._loss_digest)
        return Checkpoints(
            *(identity, parts, self._keeper, checkpoint_s),
            together=together,
            worker_stopping=worker_stopping,
        )

    def restore(self, checkpoints: Checkpoints, checkpoint: Checkpoint) -> None:
        """Go on from a checkpoint instead of the first step.

        Raises:
            CheckpointError: it belongs to another training or is damaged.
        """
        checkpoints.restore(checkpoint)
        self.step = checkpoint.step

    def report_start(self) -> None:
        """Report that everything is built and the first step comes next."""
        self._reporter.started(
            device=_device_name(self.device),
            total_steps=self.settings.epochs * self.steps_per_epoch,
            steps_per_epoch=self.steps_per_epoch,
            after=self.step,
            batch_size=self.settings.batch_size,
            splits=self.data.sizes,
        )
        self._notice(self._states.current)

    def report_untrained(self, first_pass: Callable[[], Mapping[str, float]]) -> None:
        """Report the values of the untrained model, as those of step 0.

        Args:
            first_pass: returns those of the loss over an epoch.
        """
        signs_of_life.begin("evaluation of the untrained model")
        if self._evaluation.caveats:
            self._reporter.log(self._evaluation.caveats)
        self._reporter.points(0, first_pass())
        values = self._validate(0)
        self._reporter.points(0, {**values, **self._prepared.references})
        self._notice(self._states.after_evaluation(0, values))
        self._keep_snapshot(0)

    def report_steps(self, steps: Iterable[tuple[int, Mapping[str, float]]], problem: str) -> None:
        """Report the values of steps.

        Args:
            steps: each with its values by metric key.
            problem: what is wrong with the embeddings of these steps; empty if nothing is.

        Raises:
            DivergedError: the loss of a step is not finite, and the steps after it are not
                reported; or float32 cannot hold the embeddings.
        """
        for step, values in steps:
            counts = self._empty_steps.count(values)
            if counts.get("dynamics.empty_steps") == 1 and not values["dynamics.active_tuples"]:
                state = "nothing active" if values["dynamics.valid_tuples"] else "no valid tuple"
                self._reporter.log(
                    [
                        f"step {step}: {state}, so that this batch had nothing to teach; "
                        "dynamics.empty_steps counts such steps"
                    ]
                )
            all_values = {**values, **counts}
            self._reporter.points(step, all_values)
            self._notice(self._states.after_step(step, all_values))
            loss = values["dynamics.loss_trained"]
            if not math.isfinite(loss) and problem:
                raise self._overflow(problem, step)
            if not math.isfinite(loss):
                raise self._diverged(f"the loss became {loss} at step {step}", step)
        if problem:
            raise self._overflow(problem, self.step)

    def end_epoch(self, epoch: int) -> None:
        """Measure the validation split and keep a snapshot, where they are due after this epoch.

        Raises:
            DivergedError: float32 cannot hold the embeddings.
        """
        measure, last = self.spec.measure, epoch == self.settings.epochs
        if epoch % measure.evaluate_every == 0 or last:
            signs_of_life.begin("evaluation", self.step)
            values = self._validate(epoch)
            self._reporter.points(self.step, values)
            self._notice(self._states.after_evaluation(self.step, values))
            self._last_score = values.get(self._objective, math.nan)
            if self._chooses_epoch:
                self._best.offer(values, self.step, self.model)
        if epoch % measure.snapshot_every == 0 or last:
            self._keep_snapshot(epoch)

    def report_test(self) -> None:
        """Measure and report the test split, which nothing was chosen by; not of a trial.

        It is measured with the last weights, and with those of the best epoch where that is another
        one.

        Raises:
            DivergedError: float32 cannot hold the embeddings.
        """
        if self.spec.trial is not None:
            return
        signs_of_life.begin("evaluation on the test split", self.step)
        try:
            last = best = self._evaluation.test()
            best_step = self._best.step if self._chooses_epoch else self.step
            if best_step != self.step:
                self._best.restore(self.model)
                best = self._evaluation.test()
            smaller = self._evaluation.smaller(best)
        except NotFiniteError as error:
            raise self._overflow(str(error), self.step) from error
        for prefix, step, values in (
            (TEST_PREFIX, best_step, best.values | smaller),
            (TEST_LAST_PREFIX, self.step, last.values),
        ):
            self._reporter.points(step, {f"{prefix}{k}": v for k, v in values.items()})
        self._keep_model(best_step, best)

    def _keep_model(self, step: int, measured: Measured) -> None:
        """Keep the model as it is now, with what was measured of it on the test split."""
        origin = self._prepared.inputs.origin
        if self._keeper.keeps is None or origin is None:
            return
        signs_of_life.begin("keeping the trained model", self.step)
        score = self._best.score if self._chooses_epoch else self._last_score
        trained = TrainedModel(
            spec=self.spec,
            arm=self.arm,
            seed=self.seed,
            encoders=tuple(self.model.encoders),
            origin=origin,
            test=self.data.test,
            embeddings=measured.embeddings,
            step=step,
            score=score if math.isfinite(score) else None,
            values=measured.values,
        )
        keep_model(trained, self._keeper, self._reporter)

    @property
    def _chooses_epoch(self) -> bool:
        """Whether the test split is also measured at the best epoch."""
        return self.spec.trial is None and not self.spec.tests_last_epoch

    def _notice(self, notices: Iterable[Notice]) -> None:
        for notice in notices:
            self._reporter.noticed(notice.state, notice.step, notice.message, over=notice.over)
            if notice.state != "overflow":  # which ends the run, with its own line
                self._reporter.log([notice.line])

    def _keep_snapshot(self, epoch: int) -> None:
        """Keep a snapshot, unless the embeddings are not finite, which the next step reports; none
        of a trial."""
        if self.spec.trial is not None:
            return
        signs_of_life.begin("keeping a snapshot", self.step)
        embeddings = embed_as_points(self.model, self._prepared.sample_items)
        if bool(embeddings.isfinite().all()):
            samples = self._prepared.inputs.samples
            self._keeper.keep_snapshot(samples, epoch, self.step, embeddings)

    def _validate(self, epoch: int) -> dict[str, float]:
        try:
            return self._evaluation.validation(families_at(self.spec, epoch, self.settings.epochs))
        except NotFiniteError as error:  # after the last step, though its loss was finite
            raise self._overflow(str(error), self.step) from error

    def _overflow(self, problem: str, step: int) -> DivergedError:
        """Note that the run is in the state overflow, and return the error that ends it."""
        error = self._diverged(f"{problem}; seen at step {step}", step)
        self._notice([Notice("overflow", step, f"{error}. {error.cause}")])
        return error

    def _diverged(self, message: str, step: int) -> DivergedError:
        cause = likely_cause(self.settings, self.spec.encoder, self.arm.loss)
        return DivergedError(message, cause=cause, step=step)


def _device_name(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type

"""The training loop: build everything from the spec, step, measure, read the test split once."""

import math
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Final

import torch
from torch import Tensor

from contract.data import modalities
from contract.spec import Arm, ComparisonSpec
from worker import batches, dynamics, encoders, losses, memory
from worker.data import Dataset
from worker.errors import DivergedError, NotFiniteError
from worker.progress import SILENT, Progress
from worker.reporter import EndState, Reporter
from worker.settings import datasets_folder
from worker.trainer import footprint, optimizers
from worker.trainer.augment import augmented
from worker.trainer.best import Best
from worker.trainer.divergence import likely_cause
from worker.trainer.evaluation import Evaluation
from worker.trainer.first_pass import first_pass
from worker.trainer.inputs import prepare
from worker.trainer.model import Model, loss_of
from worker.trainer.references import references
from worker.trainer.seeds import generator, seed_of

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
    ) -> None:
        self.step = 0
        """Optimiser steps done."""
        self._spec, self._arm, self._seed = spec, arm, seed
        self._settings = spec.training_of(arm)
        self._reporter = reporter
        self._device = device
        self._elapsed_s = 0.0
        self._empty_steps = dynamics.EmptySteps()

        inputs = prepare(spec, device, progress)
        self._data = inputs.data
        # Every part draws from a stream of its own: for one seed all arms start from the same
        # encoder and see the same batches, whatever their losses draw.
        torch.manual_seed(seed_of(seed, "encoder"))
        self._model = _model(spec, self._data, progress).to(device)
        torch.manual_seed(seed_of(seed, "loss"))
        dim = spec.encoder.embedding_dim
        self._loss = losses.build(arm.loss, classes=self._data.classes, dim=dim).to(device)
        self._weights = [w for w in self._model.parameters() if w.requires_grad]
        self._check_memory()
        self._tuples = generator(seed, "tuples")
        self._augmentation = generator(seed, "augmentation")
        parameters = [*self._weights, *self._loss.parameters()]
        self._optimizer = optimizers.build(self._settings.optimizer, parameters)
        self._evaluation = Evaluation(self._data, self._model, data_seed=spec.data.seed)
        self._references = references(inputs)

    def run(self, cancelled: Callable[[], bool]) -> EndState:
        """Train to the end, or until cancelled between two steps.

        Raises:
            DivergedError: the loss is no finite number any more; all points up to then are
                reported.
        """
        epochs, evaluate_every = self._settings.epochs, self._spec.measure.evaluate_every
        self._reporter.started(
            device=_name(self._device),
            total_steps=epochs * self._steps_per_epoch,
            steps_per_epoch=self._steps_per_epoch,
        )
        if self._evaluation.caveats:
            self._reporter.log(self._evaluation.caveats)
        untrained = generator(self._seed, "first pass")
        train = self._data.train
        self._reporter.points(
            0, first_pass(self._model, self._loss, train, self.batches(1), untrained)
        )
        self._reporter.points(0, self._validate() | self._references)

        best = Best()
        for epoch in range(1, epochs + 1):
            for batch in self.batches(epoch):
                self.step += 1
                values = self._take_step(batch)
                self._reporter.points(self.step, values)
                self._check(values)
                if cancelled():
                    return "cancelled"
            if epoch % evaluate_every == 0 or epoch == epochs:
                values = self._validate()
                self._reporter.points(self.step, values)
                best.offer(values, self.step, self._model)

        # Only now, and only once, does anything look at the test split.
        best.restore(self._model)
        self._reporter.points(best.step, self._evaluation.test())
        return "succeeded"

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
        needs = footprint.of_training(self._model, self._loss, self._data, self._settings, batch)
        advice = (
            "Take a smaller batch size, a smaller encoder or images, or a frozen backbone, of "
            "which only the head trains."
        )
        memory.check(needs, self._device, advice, certain=memory.MEASURED)

    def _take_step(self, batch: Tensor) -> dict[str, float]:
        """One optimiser step; its values by metric key."""
        began = time.perf_counter()
        part = augmented(
            self._data.train.take(batch),
            modalities(self._spec.data),
            self._settings.augmentation,
            self._augmentation,
        )
        self._optimizer.zero_grad()
        embeddings: tuple[Tensor, ...] = self._model(part)
        for own in embeddings:
            own.retain_grad()
        output = loss_of(self._loss, embeddings, part.labels, self._tuples)
        output.value.backward()
        values = dynamics.values(output, embeddings, self._weights)
        if self.step % UPDATE_NORM_EVERY == 0:
            before = dynamics.snapshot(self._weights)
            self._optimizer.step()
            values |= dynamics.update_norm(before, self._weights)
        else:
            self._optimizer.step()
        self._elapsed_s += time.perf_counter() - began
        values["run.elapsed_s"] = self._elapsed_s
        counts = self._empty_steps.count(values)
        if counts["dynamics.empty_steps"] == 1 and not values["dynamics.active_tuples"]:
            self._reporter.log(
                [
                    f"step {self.step}: {output.state}, so that this batch had nothing to teach; "
                    "dynamics.empty_steps counts such steps"
                ]
            )
        return values | counts

    def _validate(self) -> dict[str, float]:
        try:
            return self._evaluation.validation()
        except NotFiniteError as error:  # the last step broke the weights, its loss was fine yet
            raise self._diverged(str(error)) from error

    def _check(self, values: Mapping[str, float]) -> None:
        loss = values["dynamics.loss_trained"]
        if not math.isfinite(loss):
            raise self._diverged(f"the loss became {loss} at step {self.step}")

    def _diverged(self, message: str) -> DivergedError:
        cause = likely_cause(self._settings, self._spec.encoder, self._arm.loss)
        return DivergedError(message, cause=cause, step=self.step)


def _model(spec: ComparisonSpec, data: Dataset, progress: Progress) -> Model:
    folder = datasets_folder()
    built = [encoders.build(spec.encoder, data.item_shape, folder=folder, progress=progress)]
    if spec.visual_encoder is not None and data.visual_shape is not None:
        built.append(
            encoders.build(spec.visual_encoder, data.visual_shape, folder=folder, progress=progress)
        )
    return Model(built)


def _name(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type

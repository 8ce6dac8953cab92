"""The training of one run alone: take the steps with autograd, for every network and loss.

Runs that `worker.together` is made for are trained by `bundle` instead, also alone.
"""

from collections.abc import Callable
from itertools import islice

import torch
from torch import Tensor

from contract.comparison.data import modalities
from contract.comparison.spec import Arm, ComparisonSpec
from worker import machine
from worker.api.plugin_ref import PluginRef
from worker.reporting import signs_of_life
from worker.reporting.progress import SILENT, Progress
from worker.reporting.reporter import EndState, Reporter
from worker.snapshots import Checkpoint, Keeper
from worker.torch_utils import build_optimizer, stream_generator
from worker.trainer import dynamics
from worker.trainer.batches import augment_batch
from worker.trainer.divergence import Lengths
from worker.trainer.dynamics import StepBuffer
from worker.trainer.member import UPDATE_NORM_EVERY, Member, Prepared, prepare_inputs_of_run
from worker.trainer.memory_estimate import ADVICE
from worker.trainer.model import compute_loss
from worker.trainer.references import untrained_values


class Training:
    """One run: an arm trained from one seed. Everything is built before the first step.

    Attributes:
        member: the run, as it is measured and reported.
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
        plugin: PluginRef | None = None,
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
            plugin: where its loss lies, if that is a plug-in.
        """
        inputs = prepare_inputs_of_run(spec, seed, device, progress)
        self.member = Member(
            *(spec, arm, seed, device, reporter),
            prepared=Prepared.of(inputs, spec, arm, seed),
            progress=progress,
            keeper=keeper,
            plugin=plugin,
        )
        self._step_buffer = StepBuffer(device)
        self._weights = [w for w in self.member.model.parameters() if w.requires_grad]
        machine.check_memory(
            self.member.memory(), device, ADVICE, certain_share=machine.MEASURED_SHARE
        )
        self._optimizer = build_optimizer(
            self.member.settings.optimizer, self._weights, self.member.loss.parameters()
        )
        self._lengths = Lengths(normalize=spec.encoder.normalize)
        self._checkpoints = self.member.checkpoints(
            self._optimizer, self._step_buffer, checkpoint_s, worker_stopping
        )

    @property
    def step(self) -> int:
        """Optimiser steps done."""
        return self.member.step

    def restore(self, checkpoint: Checkpoint) -> None:
        """Go on from a checkpoint instead of the first step.

        Raises:
            CheckpointError: it belongs to another training or is damaged. Build the training again
                then.
        """
        self.member.restore(self._checkpoints, checkpoint)

    def run(self, cancelled: Callable[[], bool]) -> EndState:
        """Train to the end, or until cancelled between two steps.

        Raises:
            DivergedError: the loss is not finite any more; all values before that are reported.
            GivenBackError: the run is to be given back, and the keeper has its checkpoint.
        """
        member = self.member
        member.report_start()
        if cancelled():
            return "cancelled"
        if not member.step:
            member.report_untrained(self._first_pass)

        done, begun = divmod(member.step, member.steps_per_epoch)
        for epoch in range(done + 1, member.settings.epochs + 1):
            remaining = islice(member.batches(epoch), begun, None)
            begun = 0
            for batch in remaining:
                # Before the step: a checkpoint at the end of an epoch comes after its evaluation.
                if member.step and self._checkpoints.due():
                    signs_of_life.begin("taking a checkpoint", member.step)
                    self._report()
                    self._checkpoints.save(member.step)
                member.step += 1
                signs_of_life.begin(signs_of_life.STEP, member.step)
                self._take_step(batch)
                if self._step_buffer.due():
                    self._report()
                if cancelled():
                    self._report()
                    return "cancelled"
            self._report()
            member.end_epoch(epoch)
        member.report_test()
        return "succeeded"

    def _first_pass(self) -> dict[str, float]:
        member = self.member
        generator = stream_generator(member.seed, "first pass")
        train, batches = member.data.train, member.batches(1)
        return untrained_values(member.model, member.loss, train, batches, generator)

    def _take_step(self, batch: Tensor) -> None:
        """Take one optimiser step and buffer its numbers, without waiting for a GPU."""
        member = self.member
        self._step_buffer.begin()
        items = augment_batch(
            member.data.train.batch(batch),
            modalities(member.spec.data),
            member.settings.augmentation,
            member.augmentation,
        )
        self._optimizer.zero_grad()
        embeddings: tuple[Tensor, ...] = member.model(items)
        for points in embeddings:
            points.retain_grad()
        self._lengths.see(embeddings)
        output = compute_loss(member.loss, embeddings, items, member.tuples)
        output.value.backward()
        numbers = dynamics.step_numbers(output, embeddings, self._weights)
        with_update_norm = member.step % UPDATE_NORM_EVERY == 0
        numbers = dynamics.optimizer_step(
            self._optimizer, numbers, self._weights, with_update_norm=with_update_norm
        )
        self._step_buffer.add(member.step, numbers)

    def _report(self) -> None:
        """Read and report the values of the buffered steps.

        Raises:
            DivergedError: as `Member.report_steps`.
        """
        problem = self._lengths.problem()
        self.member.report_steps(self._step_buffer.read(), problem)

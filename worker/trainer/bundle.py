"""The training of one or many runs as one computation, each with its own reports and its own end.

A member is never touched by another: its values are the same to the last bit whether it trains
alone or with others, and one that diverges, is cancelled or fails leaves the stack. That holds with
one thread, so a bundle sets torch to one.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final, NamedTuple

import torch
from torch import Tensor

from contract.comparison.bundles import bundle_key
from contract.comparison.spec import Arm, ComparisonSpec
from worker import machine
from worker.errors import InputError
from worker.reporting import signs_of_life
from worker.reporting.progress import SILENT, Progress
from worker.reporting.reporter import EndState, Reporter
from worker.snapshots import Checkpoint, Keeper
from worker.together import Stack, StackMember
from worker.torch_utils import one_thread, stream_generator
from worker.trainer.checkpoint import Checkpoints
from worker.trainer.divergence import length_problem
from worker.trainer.dynamics import Elapsed, step_values
from worker.trainer.member import UPDATE_NORM_EVERY, Member, Prepared, prepare_inputs_of_run
from worker.trainer.memory_estimate import ADVICE, SHARED_NEEDS
from worker.trainer.references import mean_untrained

Outcome = EndState | Exception
"""How a member ended; an exception is what would have ended it alone."""
BLOCK_STEPS: Final = 256
"""Steps whose batches are moved to the device at once."""


class MemberSpec(NamedTuple):
    """A run of a bundle."""

    spec: ComparisonSpec
    arm: Arm
    seed: int
    reporter: Reporter
    cancelled: Callable[[], bool] = lambda: False
    keeper: Keeper | None = None


class _Place(NamedTuple):
    """A member in the stack."""

    number: int
    """Its place among all that the bundle began with."""
    member: Member
    checkpoints: Checkpoints
    elapsed: Elapsed
    cancelled: Callable[[], bool]


class Bundle:
    """Runs on the same data that differ in their seeds and in numbers of loss and optimiser.

    Everything is built before the first step.
    """

    def __init__(
        self,
        specs: Sequence[MemberSpec],
        device: torch.device,
        *,
        progress: Progress = SILENT,
        checkpoint_s: float = 0.0,
        worker_stopping: Callable[[], bool] = lambda: False,
    ) -> None:
        """Build the data and all models, losses and optimisers.

        Args:
            specs: of the members, which have one `contract.comparison.bundles.bundle_key`.
            device: on which they train.
            progress: takes the progress of the work before the first step.
            checkpoint_s: seconds between checkpoints; 0 for none.
            worker_stopping: returns whether the runs are to be given back at a checkpoint.

        Raises:
            InputError: the members differ in more than a bundle may.
            DataError, MemoryEstimateError, CancelledError: as those of a single training.
        """
        keys = {bundle_key(one.spec, one.arm, one.seed, device.type) for one in specs}
        if len(keys) > 1 or None in keys:
            raise InputError(f"members: {len(specs)} that differ in more than seeds and numbers")
        first = specs[0]
        inputs = prepare_inputs_of_run(first.spec, first.seed, device, progress)
        with one_thread():
            prepared = Prepared.of(inputs, first.spec, first.arm, first.seed)

            def build(one: MemberSpec) -> Member:
                return Member(
                    *(one.spec, one.arm, one.seed, device, one.reporter),
                    prepared=prepared,
                    progress=progress,
                    keeper=one.keeper,
                )

            members = [build(first)]
            needs = _memory(members[0], len(specs))
            machine.check_memory(needs, device, ADVICE, certain_share=machine.MEASURED_SHARE)
            members += map(build, specs[1:])
            train = prepared.inputs.data.train
            for member in members:  # linear layers are the same in both modes; see `embed`
                member.model.eval()
            self._stack = Stack([_stacked(of) for of in members], train.items, train.labels)
        self._worker_stopping = worker_stopping
        self._gives_back = False
        self._places: list[_Place] = []
        for number, (member, one) in enumerate(zip(members, specs, strict=True)):
            elapsed = Elapsed()
            optimizer = _OptimizerState(partial(self._stack_place, number))
            checkpoints = member.checkpoints(
                *(optimizer, elapsed, checkpoint_s, lambda: self._gives_back), together=len(specs)
            )
            self._places.append(_Place(number, member, checkpoints, elapsed, one.cancelled))
        self._ended: Callable[[int, Outcome], None] = _ignore
        self.step = 0
        """Optimiser steps done, of each member that has not ended."""

    def restore(self, checkpoints: Sequence[Checkpoint]) -> None:
        """Go on from checkpoints of one step, one for each member.

        Raises:
            CheckpointError: one belongs to another training or is damaged. Build the bundle again
                then.
        """
        for place, checkpoint in zip(self._places, checkpoints, strict=True):
            place.member.restore(place.checkpoints, checkpoint)
        steps = {place.member.step for place in self._places}
        if len(steps) > 1:
            raise InputError(f"checkpoints: of one step, got {sorted(steps)}")
        self.step = steps.pop()

    def run(self, ended: Callable[[int, Outcome], None]) -> None:
        """Train every member to its end.

        Args:
            ended: is told the number of a member and how it ended, as soon as it has; an exception
                that it raises ends the bundle.
        """
        self._ended = ended
        with one_thread():
            self._run()

    def _run(self) -> None:
        self._each(lambda place: place.member.report_start())
        self._drop_cancelled()
        if not self._places:
            return
        example = self._places[0].member
        if not self.step:
            self._report_untrained()
        done, begun = divmod(self.step, example.steps_per_epoch)
        for epoch in range(done + 1, example.settings.epochs + 1):
            self._train_epoch(epoch, begun)
            begun = 0
            self._each(lambda place, epoch=epoch: place.member.end_epoch(epoch))  # type: ignore[misc]
            if not self._places:
                return
        self._each(self._end_trained)

    def _train_epoch(self, epoch: int, begun: int) -> None:
        """Take the steps of an epoch after those that were begun, while there are members."""
        steps, of_seeds = self._places[0].member.steps_per_epoch, self._batches_of_seeds(epoch)
        for first in range(begun, steps, BLOCK_STEPS):
            last = min(first + BLOCK_STEPS, steps)
            self._stack.begin(self._batches(of_seeds, first, last))
            for _ in range(first, last):
                if self.step:
                    # Asked once, so that all are given back after the same step.
                    self._gives_back = self._worker_stopping()
                    self._each(self._take_checkpoint)
                    if not self._places:
                        return
                self._take_step()
                self._drop_cancelled()
                if not self._places:
                    return

    def _batches_of_seeds(self, epoch: int) -> dict[int, Tensor]:
        """Return the batches of an epoch for each seed of the members, [S, B]."""
        members = {place.member.seed: place.member for place in self._places}
        return {seed: torch.stack(list(own.batches(epoch))) for seed, own in members.items()}

    def _batches(self, of_seeds: Mapping[int, Tensor], first: int, last: int) -> Tensor:
        """Return the batches of some steps, [S, K, B]."""
        own = [of_seeds[place.member.seed][first:last] for place in self._places]
        return torch.stack(own, dim=1)

    def _take_step(self) -> None:
        """Take one step of every member, and report it."""
        self.step += 1
        for place in self._places:
            place.member.step = self.step
        signs_of_life.begin(signs_of_life.STEP, self.step)
        began = time.perf_counter()
        self._stack.take_step(update_norm=self.step % UPDATE_NORM_EVERY == 0)
        [numbers] = self._stack.read()
        share = (time.perf_counter() - began) / len(self._places)
        of_number = dict(zip([place.number for place in self._places], numbers, strict=True))

        def report(place: _Place) -> None:
            seen = of_number[place.number]
            place.elapsed.seconds += share
            values = step_values(seen)
            values["run.elapsed_s"] = place.elapsed.seconds
            normalize = place.member.spec.encoder.normalize
            problem = length_problem(seen["low"], seen["high"], normalize=normalize)
            place.member.report_steps([(self.step, values)], problem)

        self._each(report)

    def _report_untrained(self) -> None:
        generators = {
            place.number: stream_generator(place.member.seed, "first pass")
            for place in self._places
        }
        steps = self._places[0].member.steps_per_epoch
        self._stack.begin(self._batches(self._batches_of_seeds(1), 0, steps))
        found = self._stack.losses(list(generators.values()))
        means = {
            number: mean_untrained(*sums) for number, sums in zip(generators, found, strict=True)
        }
        self._each(lambda place: place.member.report_untrained(lambda: means[place.number]))

    def _end_trained(self, place: _Place) -> None:
        place.member.report_test()
        self._ended(place.number, "succeeded")

    def _take_checkpoint(self, place: _Place) -> None:
        if place.checkpoints.due():
            signs_of_life.begin("taking a checkpoint", self.step)
            place.checkpoints.save(self.step)

    def _drop_cancelled(self) -> None:
        cancelled = [place for place in self._places if place.cancelled()]
        for place in cancelled:
            self._ended(place.number, "cancelled")
        self._drop(cancelled)

    def _each(self, do: Callable[[_Place], None]) -> None:
        """Do something for each member; one that raises an error ends with it."""
        failed = []
        for place in self._places:
            try:
                do(place)
            except Exception as error:  # noqa: BLE001 - the error of one member, told as its end
                self._ended(place.number, error)
                failed.append(place)
        self._drop(failed)

    def _drop(self, gone: Sequence[_Place]) -> None:
        if not gone:
            return
        stay = [at for at, place in enumerate(self._places) if place not in gone]
        self._places = [self._places[at] for at in stay]
        if stay:
            self._stack.keep(stay)

    def _stack_place(self, number: int) -> tuple[Stack, int]:
        """Return the stack and the place of a member in it."""
        numbers = [place.number for place in self._places]
        return self._stack, numbers.index(number)


class _OptimizerState:
    """The part of a member's checkpoint that holds its optimiser."""

    def __init__(self, place: Callable[[], tuple[Stack, int]]) -> None:
        self._place = place

    def state_dict(self) -> dict[str, Any]:
        """Return the state of torch's own optimiser."""
        stack, at = self._place()
        return stack.optimizer_state(at)

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from it."""
        stack, at = self._place()
        stack.load_optimizer_state(at, state)


def _memory(member: Member, members: int) -> dict[str, int]:
    """Return the bytes that so many members need by their purpose, once one of them is built."""
    needs = {
        what: size * (1 if what in SHARED_NEEDS else members)
        for what, size in member.memory().items()
    }
    weights = sum(weight.nbytes for weight in member.model.state_dict().values())
    return needs | {"weights of the other runs": weights * (members - 1)}


def _stacked(member: Member) -> StackMember:
    [network] = member.model.encoders
    loss, optimizer = member.arm.loss, member.settings.optimizer
    return StackMember(network, member.loss, loss, optimizer, member.tuples)


def _ignore(number: int, outcome: Outcome) -> None:
    pass


class BundleOfOne:
    """One run, trained as a bundle of one; called like `Training`."""

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
        self._cancelled: Callable[[], bool] = lambda: False
        one = MemberSpec(spec, arm, seed, reporter, self._is_cancelled, keeper)
        self._bundle = Bundle(
            [one],
            device,
            progress=progress,
            checkpoint_s=checkpoint_s,
            worker_stopping=worker_stopping,
        )

    @property
    def step(self) -> int:
        """Optimiser steps done."""
        return self._bundle.step

    def restore(self, checkpoint: Checkpoint) -> None:
        """Go on from a checkpoint, as `Training.restore` does."""
        self._bundle.restore([checkpoint])

    def run(self, cancelled: Callable[[], bool]) -> EndState:
        """Train to the end, as `Training.run` does, with the same errors."""
        self._cancelled = cancelled
        ends: list[Outcome] = []
        self._bundle.run(lambda _, outcome: ends.append(outcome))
        [outcome] = ends
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def _is_cancelled(self) -> bool:
        return self._cancelled()

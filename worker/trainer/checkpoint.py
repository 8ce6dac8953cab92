"""Checkpoints: the whole state of a training as bytes. A training that goes on from one computes
the same values as one that was never interrupted."""

import hashlib
import io
import json
import time
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

import torch
from torch import Tensor, nn

from contract.comparison.spec import Arm, ComparisonSpec
from worker.errors import CheckpointError, GivenBackError
from worker.snapshots import Checkpoint, Keeper

FORMAT: Final = 1
"""Version of the bytes. Count it up when the parts of a training's state change."""
MAX_TIME_SHARE: Final = 0.03
"""Share of a run's time that checkpoints may take: after a slow one the next one comes later."""
LATER_PARTS: Final = {"states"}
"""Parts that came after checkpoints were first written, and that older ones lack."""


class Stateful(Protocol):
    """A part of a training that has a state."""

    def state_dict(self) -> dict[str, Any]:
        """Return all that the next step depends on: tensors, numbers, strings, lists and dicts."""

    def load_state_dict(self, state: dict[str, Any], /) -> object:
        """Return to that state."""


class Weights:
    """The weights of a module as a part of a training."""

    def __init__(self, module: nn.Module) -> None:
        self._module = module

    def state_dict(self) -> dict[str, Any]:
        """Return the weights; those that lie in memory shared with other runs as copies, because
        torch saves all of the memory that a tensor is in."""
        state: dict[str, Any] = self._module.state_dict()
        for name, weight in state.items():
            if not isinstance(weight, Tensor):  # what a plug-in keeps besides
                continue
            if weight.untyped_storage().nbytes() > weight.nbytes:
                state[name] = weight.clone()
        return state

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Write these weights into the module."""
        self._module.load_state_dict(state)


class RandomState:
    """A random stream as a part of a training: a generator's, or without one torch's global streams
    of the CPU and of the device."""

    def __init__(self, device: torch.device, generator: torch.Generator | None = None) -> None:
        self._generator = generator
        self._cuda = device if generator is None and device.type == "cuda" else None

    def state_dict(self) -> dict[str, Any]:
        """Return the position in the stream."""
        generator = self._generator
        state = {"cpu": torch.get_rng_state() if generator is None else generator.get_state()}
        if self._cuda is not None:
            state["cuda"] = torch.cuda.get_rng_state(self._cuda)
        return state

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go to a position in the stream."""
        if self._generator is not None:
            self._generator.set_state(state["cpu"])
            return
        torch.set_rng_state(state["cpu"])
        if self._cuda is not None:
            torch.cuda.set_rng_state(state["cuda"], self._cuda)


class Checkpoints:
    """Takes the checkpoints of one training when they are due, and restores one."""

    def __init__(
        self,
        identity: str,
        parts: Mapping[str, Stateful],
        keeper: Keeper,
        every_s: float,
        clock: Callable[[], float] = time.perf_counter,
        *,
        together: int = 1,
        worker_stopping: Callable[[], bool] = lambda: False,
    ) -> None:
        """Args:
        identity: of the training, see `training_identity`.
        parts: all parts of the training that have a state, by name.
        keeper: takes the checkpoints.
        every_s: seconds between two, or longer if they are slow to take; 0 for none.
        clock: in seconds.
        together: runs that train as one, and wait for one another's checkpoints.
        worker_stopping: returns whether the run is to be given back at the next checkpoint.
        """
        self._together = together
        self._identity = identity
        self._parts = parts
        self._keeper = keeper
        self._every = every_s
        self._worker_stopping = worker_stopping
        self._clock = clock
        self._last = clock()

    def due(self) -> bool:
        """Return whether to take a checkpoint now: it is time and the previous one is stored, or
        the run is to be given back."""
        if self._worker_stopping():
            return True
        waited = self._every > 0 and self._clock() - self._last >= self._every
        return waited and self._keeper.ready_for_checkpoint()

    def save(self, step: int) -> None:
        """Take a checkpoint after `step` steps, whose values must all have been reported.

        Raises:
            GivenBackError: the run is to be given back, and this was its last checkpoint.
        """
        last = self._worker_stopping()
        if self._every > 0:
            self._take(step)
        if last:
            raise GivenBackError(f"left after step {step}")

    def _take(self, step: int) -> None:
        began = self._clock()
        self._keeper.keep_checkpoint(Checkpoint(step, self._serialize(step)))
        self._last = self._clock()
        of_all = self._together * (self._last - began)
        self._every = max(self._every, of_all / MAX_TIME_SHARE)

    def restore(self, checkpoint: Checkpoint) -> None:
        """Restore the state of all parts from a checkpoint.

        Raises:
            CheckpointError: it cannot be read or belongs to another training. Some parts may be
                restored then and others not.
        """
        try:
            # On the CPU, where random states belong; other tensors are copied to their device.
            read = torch.load(io.BytesIO(checkpoint.content), map_location="cpu", weights_only=True)
            seen = [read[name] for name in ("format", "identity", "step")]
            state = read["state"]
        except Exception as error:  # damaged bytes can raise any error
            raise CheckpointError(f"it cannot be read: {error!r:.300}") from error
        wanted = (FORMAT, self._identity, checkpoint.step)
        for what, found, right in zip(
            ("format", "spec, seed or device", "step"), seen, wanted, strict=True
        ):
            if found != right:
                raise CheckpointError(f"it is of another {what}: {found!r} instead of {right!r}")
        if state.keys() | LATER_PARTS != self._parts.keys() | LATER_PARTS:
            raise CheckpointError(f"it holds {sorted(state)} instead of {sorted(self._parts)}")
        for name, part in self._parts.items():
            if name not in state:  # a later part, which then starts anew
                continue
            try:
                part.load_state_dict(state[name])
            except (KeyError, TypeError, ValueError, RuntimeError) as error:
                raise CheckpointError(f"its {name} does not fit: {error!r:.300}") from error

    def _serialize(self, step: int) -> bytes:
        state = {name: part.state_dict() for name, part in self._parts.items()}
        file = io.BytesIO()
        torch.save(
            {"format": FORMAT, "identity": self._identity, "step": step, "state": state}, file
        )
        return file.getvalue()


_LATER_SETTINGS: Final[Mapping[str, Mapping[str, Any]]] = {
    "data": {"background": "none", "merge": False, "standardize": False},
    "optimizer": {"loss_lr": None},
    "contrastive": {"pull_weight": 0.5, "positive_margin": 0.0, "hinge": "squared"},
    "n_pair": {"scale": 1.0},
}
"""Settings of data, of optimisers and of kinds of loss that came after checkpoints were first
written, with the values under which a run is as before: a run of an older version then goes on from
its checkpoint."""


def training_identity(
    spec: ComparisonSpec, arm: Arm, seed: int, device: torch.device, loss_digest: str = ""
) -> str:
    """Return a digest of all that decides a run's values: a run may only go on from a checkpoint
    with the same one. Names, notes, other arms and other seeds may change in between.

    Args:
        spec: that the run is trained by.
        arm: of the spec.
        seed: of the run.
        device: on which it trains.
        loss_digest: of the code of its loss, where that is a plug-in.
    """
    shared = spec.model_dump(mode="json", include={"encoder", "visual_encoder", "measure"})
    shared["data"] = spec.data_of(seed).model_dump(mode="json")
    if spec.replicate != "seed":  # a split by class then has other halves
        shared["replicate"] = spec.replicate
    if spec.trial is not None:
        shared["trial"] = spec.trial.model_dump(mode="json")
    loss = arm.loss.model_dump(mode="json")
    training = spec.training_of(arm).model_dump(mode="json")
    _leave_out_later(shared["data"], "data")
    _leave_out_later(training["optimizer"], "optimizer")
    _leave_out_later(loss, arm.loss.kind)
    facts = {
        "format": FORMAT,
        "device": device.type,
        "seed": seed,
        "loss": loss,
        "training": training,
        **shared,
    }
    if loss_digest:
        facts["loss_digest"] = loss_digest
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def _leave_out_later(settings: dict[str, Any], of: str) -> None:
    """Remove later settings that have their values of before."""
    for name, value in _LATER_SETTINGS.get(of, {}).items():
        if name in settings and settings[name] == value:
            del settings[name]

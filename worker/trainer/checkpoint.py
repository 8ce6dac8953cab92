"""Checkpoints: a training's whole state as bytes, from which it goes on as if never interrupted."""

import hashlib
import io
import json
import time
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

import torch

from contract.comparison.spec import Arm, ComparisonSpec
from worker.errors import CheckpointError, GivenBackError
from worker.snapshots import Checkpoint, Keeper

FORMAT: Final = 1
"""Of the bytes; a change of what a training's state is made of needs the next number."""
MAX_TIME_SHARE: Final = 0.03
"""Of a run's time that checkpoints may take: a slow one makes the next one wait."""


class Stateful(Protocol):
    """What a training is made of."""

    def state_dict(self) -> dict[str, Any]:
        """All that the next step depends on, in tensors, numbers, strings, lists and dicts."""

    def load_state_dict(self, state: dict[str, Any], /) -> object:
        """Be as when that state was taken."""


class RandomState:
    """A random stream as a part of a training; None is torch's own, of the CPU and the device."""

    def __init__(self, device: torch.device, generator: torch.Generator | None = None) -> None:
        self._generator = generator
        self._cuda = device if generator is None and device.type == "cuda" else None

    def state_dict(self) -> dict[str, Any]:
        """Where the stream is."""
        own = self._generator
        state = {"cpu": torch.get_rng_state() if own is None else own.get_state()}
        if self._cuda is not None:
            state["cuda"] = torch.cuda.get_rng_state(self._cuda)
        return state

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go there."""
        if self._generator is not None:
            self._generator.set_state(state["cpu"])
            return
        torch.set_rng_state(state["cpu"])
        if self._cuda is not None:
            torch.cuda.set_rng_state(state["cuda"], self._cuda)


class Checkpoints:
    """The checkpoints of one training: when one is due, how it is taken and how it is used."""

    def __init__(
        self,
        own: str,
        parts: Mapping[str, Stateful],
        keeper: Keeper,
        every_s: float,
        clock: Callable[[], float] = time.perf_counter,
        *,
        worker_stopping: Callable[[], bool] = lambda: False,
    ) -> None:
        """Args:
        own: the training's identity.
        parts: all that it is made of, by name.
        keeper: takes them.
        every_s: seconds between two, more where they take long; 0 for none.
        clock: in seconds.
        worker_stopping: whether the training is to stop at its next one.
        """
        self._own = own
        self._parts = parts
        self._keeper = keeper
        self._every = every_s
        self._worker_stopping = worker_stopping
        self._clock = clock
        self._last = clock()

    def due(self) -> bool:
        """Whether it is time, and the one before is stored; or whether to leave."""
        if self._worker_stopping():
            return True
        waited = self._every > 0 and self._clock() - self._last >= self._every
        return waited and self._keeper.ready_for_checkpoint()

    def save(self, step: int) -> None:
        """Hand over the state after so many steps, of which all that they measured is reported.

        Raises:
            LeftError: this was the last one.
        """
        leaves = self._worker_stopping()
        if self._every > 0:
            self._hand_over(step)
        if leaves:
            raise GivenBackError(f"left after step {step}")

    def _hand_over(self, step: int) -> None:
        began = self._clock()
        self._keeper.keep_checkpoint(Checkpoint(step, self._written(step)))
        self._last = self._clock()
        self._every = max(self._every, (self._last - began) / MAX_TIME_SHARE)

    def restore(self, saved: Checkpoint) -> None:
        """Bring the parts to a checkpoint's state.

        Raises:
            CheckpointError: it cannot be read or belongs to another training; the parts may be in
                any state then.
        """
        try:
            # On the CPU, where the states of random streams belong; the rest goes to its place.
            read = torch.load(io.BytesIO(saved.content), map_location="cpu", weights_only=True)
            seen = [read[name] for name in ("format", "identity", "step")]
            state = read["state"]
        except Exception as error:  # damaged bytes raise whatever they happen to
            raise CheckpointError(f"it cannot be read: {error!r:.300}") from error
        wanted = (FORMAT, self._own, saved.step)
        for what, found, right in zip(
            ("format", "spec, seed or device", "step"), seen, wanted, strict=True
        ):
            if found != right:
                raise CheckpointError(f"it is of another {what}: {found!r} instead of {right!r}")
        if state.keys() != self._parts.keys():
            raise CheckpointError(f"it holds {sorted(state)} instead of {sorted(self._parts)}")
        for name, part in self._parts.items():
            try:
                part.load_state_dict(state[name])
            except (KeyError, TypeError, ValueError, RuntimeError) as error:
                raise CheckpointError(f"its {name} does not fit: {error!r:.300}") from error

    def _written(self, step: int) -> bytes:
        state = {name: part.state_dict() for name, part in self._parts.items()}
        file = io.BytesIO()
        torch.save({"format": FORMAT, "identity": self._own, "step": step, "state": state}, file)
        return file.getvalue()


def training_identity(spec: ComparisonSpec, arm: Arm, seed: int, device: torch.device) -> str:
    """A digest of all that decides a run's values; only a run of the same may go on from another's
    state. Name, notes and the other arms and seeds may change meanwhile."""
    facts = {
        "format": FORMAT,
        "device": device.type,
        "seed": seed,
        "loss": arm.loss.model_dump(mode="json"),
        "training": spec.training_of(arm).model_dump(mode="json"),
        **spec.model_dump(mode="json", include={"data", "encoder", "visual_encoder", "measure"}),
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()

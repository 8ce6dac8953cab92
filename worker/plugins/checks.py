"""The check of a plug-in: build it, compute its loss of a few items, and say what was found."""

import traceback
from collections.abc import Callable, Mapping
from typing import Any, Final

import torch
from torch import Tensor

from contract.comparison.loss import NamedPart, PluginLoss
from contract.comparison.plugins import PluginEntry
from worker.errors import InputError
from worker.losses.base import LossOutput
from worker.plugins.adapter import PluggedLoss
from worker.plugins.candidate import Candidate, tiny_batch

CLASSES: Final = 3
DIM: Final = 8
WITHIN: Final = 1e-3
"""By how much, as a share, values in float32 and float64, or in another order, may differ."""
MOST_TEXT: Final = 300
"""Characters of an error that are told."""


def check(candidate: Candidate) -> PluginEntry:
    """Return what is found of a plug-in, with why it cannot be used, if so."""
    declared = candidate.declared
    facts: dict[str, Any] = {
        "name": declared.name,
        "source": candidate.source,
        "label": declared.label[:MOST_TEXT],
        "version": candidate.version,
        "digest": candidate.ref.digest,
        "idea": declared.idea[:2000],
        "paper": declared.paper[:MOST_TEXT],
        "url": declared.url[:MOST_TEXT],
        "parameters": candidate.parameters.schemas,
    }
    try:
        facts |= _Trials(candidate).facts()
    except Exception as error:  # noqa: BLE001 - a plug-in may raise anything
        facts["problem"] = said(error)
    return PluginEntry.model_validate(facts)


def said(error: BaseException) -> str:
    """Return what went wrong, and in which line of the plug-in, for people."""
    text = str(error).strip().partition("\n")[0][:MOST_TEXT]
    if isinstance(error, InputError):
        return text
    frames = traceback.extract_tb(error.__traceback__)
    where = f" (line {frames[-1].lineno} of {frames[-1].filename})" if frames else ""
    return f"{type(error).__name__}: {text}{where}"


class _Trials:
    """The loss of a few items, computed in several ways."""

    def __init__(self, candidate: Candidate) -> None:
        self._candidate = candidate
        self._loss = PluginLoss(name=candidate.ref.name)

    def facts(self) -> dict[str, Any]:
        """Return what an entry says of how the loss behaves.

        Raises:
            InputError: it cannot be trained with; says why.
            Exception: whatever its code raises.
        """
        single = self._compute(torch.float32)
        self._check_gradient()
        self._check_repeats(single)
        built = self._build(self._loss)
        output = self._output(built, torch.float32)
        return {
            "trainable": any(one.requires_grad for one in built.parameters()),
            "two_modalities": self._takes_two(),
            "counts": "terms" if output.parts or output.selected else "value",
            "notes": self._notes(single),
            "miners": self._fitting("miner", self._candidate.miners),
            "distances": self._fitting("distance", self._candidate.distances),
        }

    def _build(self, loss: PluginLoss) -> PluggedLoss:
        torch.manual_seed(0)
        built = self._candidate.build(loss, CLASSES, DIM)
        return PluggedLoss(loss, built, classes=CLASSES, dim=DIM)

    def _output(self, loss: PluggedLoss, dtype: torch.dtype) -> LossOutput:
        points, labels = tiny_batch(dtype, classes=CLASSES, dim=DIM)
        torch.manual_seed(1)
        found: LossOutput = loss.to(dtype)(points, labels)
        return found

    def _compute(
        self,
        dtype: torch.dtype,
        *,
        seed: int = 1,
        order: Tensor | None = None,
        of_classes: Tensor | None = None,
    ) -> float:
        """Return the loss of a few items by a newly built module.

        Raises:
            InputError: it is not finite.
        """
        loss = self._build(self._loss).to(dtype)
        points, labels = tiny_batch(dtype, classes=CLASSES, dim=DIM)
        labels = labels if of_classes is None else of_classes
        if order is not None:
            points, labels = points[order], labels[order]
        torch.manual_seed(seed)
        value = float(loss(points, labels).value.detach())
        if not torch.isfinite(torch.tensor(value)):
            raise InputError(f"its loss of 12 items in 3 classes is {value}")
        return value

    def _check_gradient(self) -> None:
        """Check that there are finite gradients at the embeddings, in two steps one after the
        other."""
        loss = self._build(self._loss)
        torch.manual_seed(1)
        self._check_step(loss)
        self._check_step(loss)

    def _check_step(self, loss: PluggedLoss) -> None:
        points, labels = tiny_batch(torch.float32, classes=CLASSES, dim=DIM)
        points.requires_grad_()
        value = loss(points, labels).value
        if not value.requires_grad:
            raise InputError("its loss has no gradient: nothing could be learned")
        value.backward()
        if points.grad is None:
            raise InputError("its loss has no gradient at the embeddings")
        if not bool(points.grad.isfinite().all()):
            raise InputError("its gradient at the embeddings is not finite")

    def _check_repeats(self, value: float) -> None:
        again = self._compute(torch.float32)
        if _differ(value, again, 1e-6):
            raise InputError(
                f"it gave {value:g} and {again:g} for the same items under one seed: it draws from "
                "a stream that a run cannot repeat; draw with torch, from its global stream"
            )

    def _takes_two(self) -> bool:
        points, labels = tiny_batch(torch.float32, classes=CLASSES, dim=DIM)
        loss = self._build(self._loss)
        try:
            value = loss(points, labels, others=points.flip(0), other_labels=labels.flip(0)).value
        except Exception:  # noqa: BLE001 - whatever it raises, it does not take two
            return False
        return bool(value.isfinite())

    def _notes(self, single: float) -> list[str]:
        notes = []
        try:
            double = self._compute(torch.float64)
            if _differ(single, double, WITHIN):
                notes.append(f"It is {single:g} in float32 and {double:g} in float64.")
        except Exception as error:  # noqa: BLE001 - it is trained in float32
            notes.append(f"It cannot be computed in float64: {said(error)}.")
        draws = _differ(single, self._compute(torch.float32, seed=2), 1e-6)
        if draws:
            notes.append("It draws at random.")
        elif _differ(single, self._compute(torch.float32, order=torch.arange(11, -1, -1)), WITHIN):
            notes.append("Its value depends on the order of the items in a batch.")
        one_class = torch.zeros(12, dtype=torch.int64)
        try:
            self._compute(torch.float32, of_classes=one_class)
        except Exception as error:  # noqa: BLE001
            notes.append(f"It fails on a batch of one class: {said(error)}.")
        return [one[:MOST_TEXT] for one in notes]

    def _fitting(
        self, part: str, known: Mapping[str, Mapping[str, Any]]
    ) -> dict[str, Mapping[str, Any]]:
        """Return those miners, or distances, with which the loss can be computed."""

        def fits(name: str) -> bool:
            loss = self._loss.model_copy(update={part: NamedPart(name=name)})
            return _works(lambda: self._output(self._build(loss), torch.float32))

        return {name: schemas for name, schemas in known.items() if fits(name)}


def _works(compute: Callable[[], LossOutput]) -> bool:
    try:
        return bool(compute().value.isfinite())
    except Exception:  # noqa: BLE001 - whatever it raises, it does not work
        return False


def _differ(one: float, other: float, within: float) -> bool:
    return abs(one - other) > within * max(abs(one), abs(other), 1e-6)

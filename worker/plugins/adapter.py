"""A plug-in as one of our losses: what the trainer calls, and what is measured of it."""

import copy
from typing import Any, Final

import torch
from torch import Tensor, nn

from contract.comparison.loss import PluginLoss
from worker.api.plugin_ref import PluginRef
from worker.errors import InputError
from worker.losses.base import Loss, LossOutput, Part
from worker.losses.batch import Batch
from worker.plugins.candidate import Built, tiny_batch
from worker.plugins.sources import load_one
from worker.plugins.terms import Summed, Terms, summed

ANGULAR_WITHIN: Final = 1e-4
"""By how much, as a share, the loss of embeddings twice as long may differ where only their
directions count."""
_STATE: Final = "plain tensors"


class PluggedLoss(Loss):
    """The loss of a plug-in.

    Attributes:
        name: by which specs name it.
        angular: whether only the directions of embeddings count for it.
    """

    def __init__(self, loss: PluginLoss, built: Built, *, classes: int, dim: int) -> None:
        """Try the loss once on a few items, without changing it.

        Args:
            loss: the arm's.
            built: the plug-in with the arm's parameters.
            classes: number of training classes.
            dim: size of the embeddings.
        """
        super().__init__("mean", loss)
        self.name = loss.name
        self.module = built.module
        self._kept = [path for path, _ in _plain_tensors(built.module)]
        self._two_modalities = built.two_modalities
        self._names: tuple[str, ...] = ()
        """Parts that it has been seen to have."""
        self._selects = False
        self._knows_anchors = False
        self.angular = self._try(classes, dim)

    def _output(self, batch: Batch, generator: torch.Generator | None) -> LossOutput:
        result = self._call(batch)
        self._let_go()
        if isinstance(result, Terms):
            return self._counted(summed(result, len(batch.anchors)))
        return self._plain(result)

    def get_extra_state(self) -> dict[str, Any]:
        """Return the tensors that the plug-in keeps as plain attributes: torch saves only
        parameters and buffers."""
        return {_STATE: {path: tensor.clone() for path, tensor in _plain_tensors(self.module)}}

    def set_extra_state(self, state: dict[str, Any]) -> None:
        """Set them again."""
        for path, tensor in state[_STATE].items():
            owner, name = self._owner(path)
            setattr(owner, name, tensor.to(getattr(owner, name).device))

    def _owner(self, path: str) -> tuple[nn.Module, str]:
        """Return the module that has a plain tensor, and the tensor's name."""
        parents, _, name = path.rpartition(".")
        return self.module.get_submodule(parents), name

    def _let_go(self) -> None:
        """Cut what the plug-in keeps from call to call off from the graph of this step, whose
        memory is gone once its gradients are there."""
        for path in self._kept:
            owner, name = self._owner(path)
            kept = getattr(owner, name)
            if isinstance(kept, Tensor) and kept.grad_fn is not None:
                setattr(owner, name, kept.detach())

    def _call(self, batch: Batch) -> Tensor | Terms:
        if batch.against_itself:
            result = self.module(batch.anchors, batch.labels)
        elif self._two_modalities:
            result = self.module(batch.anchors, batch.labels, batch.others, batch.other_labels)
        else:
            raise InputError(
                f"loss: {self.name} compares items of one modality, these data have two"
            )
        if isinstance(result, Terms):
            return result
        if not isinstance(result, Tensor):
            raise InputError(
                f"loss: {self.name} returned {type(result).__name__}, not a tensor or Terms"
            )
        if result.numel() != 1:
            raise InputError(
                f"loss: {self.name} returned a tensor of shape {list(result.shape)}; needs one "
                "number, or Terms"
            )
        if not result.is_floating_point():
            raise InputError(f"loss: {self.name} returned {result.dtype}, not a float")
        return result.reshape(())

    def _counted(self, found: Summed) -> LossOutput:
        self._names, self._selects = tuple(found.parts), found.selected
        known = not found.selected and found.active_anchors is not None
        self._knows_anchors = known
        anchors = (found.active_anchors, found.pushing_anchors) if known else (None, None)
        return self._made(found.value.reshape(()), found.parts, anchors, found.divisor)

    def _plain(self, value: Tensor) -> LossOutput:
        """Return a loss without terms. One that usually has some found no tuple in this batch."""
        none = Part(*(torch.zeros((), device=value.device, dtype=kind) for kind in _OF_PART))
        return self._made(value, dict.fromkeys(self._names, none), (None, None), None)

    def _made(
        self,
        value: Tensor,
        parts: dict[str, Part],
        anchors: tuple[Tensor | None, Tensor | None],
        divisor: Tensor | None,
    ) -> LossOutput:
        nothing = torch.full((), torch.nan, device=value.device)
        active, pushing = anchors
        return LossOutput(
            value=value,
            parts={} if self._selects else parts,
            selected=parts if self._selects else None,
            active_anchors=nothing if active is None else active,
            divisor=divisor,
            pushing_anchors=nothing if pushing is None else pushing,
            trivial=None,
            pull_weight=None,
            knows_anchors=self._knows_anchors,
        )

    @torch.no_grad()
    def _try(self, classes: int, dim: int) -> bool:
        """Compute the loss of a few items with a copy of the module, in a random stream of its own;
        return whether it stays the same when the embeddings are twice as long."""
        own = self.module
        points, labels = tiny_batch(torch.float32, classes=classes, dim=dim)
        batches = [Batch(at, labels, at, labels, True) for at in (points, 2 * points)]
        values = []
        try:
            for batch in batches:
                self.module = copy.deepcopy(own)
                with torch.random.fork_rng(devices=[]):
                    torch.manual_seed(0)
                    values.append(float(self._output(batch, None).value))
        finally:
            self.module = own
        return abs(values[1] - values[0]) <= ANGULAR_WITHIN * max(abs(values[0]), 1e-6)


_OF_PART: Final = (torch.float32, torch.int64, torch.int64)


def build(ref: PluginRef, loss: PluginLoss, *, classes: int, dim: int) -> PluggedLoss:
    """Import the plug-in of an arm and build its loss.

    Parameters that are trained draw their initial values from torch's global generator: seed that
    first.

    Args:
        ref: where it lies.
        loss: the arm's.
        classes: number of training classes.
        dim: size of the embeddings.

    Raises:
        InputError: it is not there, its code has changed, or the parameters do not fit.
        Exception: whatever its code raises.
    """
    built = load_one(ref).build(loss, classes, dim)
    return PluggedLoss(loss, built, classes=classes, dim=dim)


def _plain_tensors(module: nn.Module) -> list[tuple[str, Tensor]]:
    """Return the tensors that modules have as plain attributes, with their paths."""
    return [
        (f"{path}.{name}" if path else name, value.detach())
        for path, one in module.named_modules()
        for name, value in vars(one).items()
        if isinstance(value, Tensor)
    ]

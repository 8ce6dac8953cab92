"""How much memory the steps and the measures of a training take, told before the first one.

One and two items go through the network, forward and backward, and the first tuples of a batch
through the loss, while the bytes that live at once are counted; from there the numbers are scaled.
"""

import weakref
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.utils import _pytree
from torch.utils._python_dispatch import TorchDispatchMode

from contract.comparison.training import Optimizer, SgdOptimizer, Training
from worker.data import Dataset, Split
from worker.losses import Loss
from worker.trainer.evaluation import GALLERY_ITEMS, VALIDATION_ITEMS, embedding_batch_size
from worker.trainer.model import Model, compute_loss

LOSS_ITEMS: Final = 1024
"""Of a batch that go through the loss; of larger batches it is scaled by the number of pairs."""
POINT_BYTES: Final = 32
"""Of each number of an embedding while it is measured: as it is, and copies in double precision."""


def training_memory(
    model: Model, loss: Loss, data: Dataset, settings: Training, batch: Tensor
) -> dict[str, int]:
    """Bytes that training takes beside the data and the model itself, at the time of its peak.

    Args:
        model: on its device; is left as it is.
        loss: likewise.
        data: what is trained on, on the model's device.
        settings: batch size and optimiser.
        batch: [batch_size] places in the training split, of one batch.
    """
    weights = [w for w in (*model.parameters(), *loss.parameters()) if w.requires_grad]
    trained, whole = _bytes(weights), _bytes(model.state_dict().values())
    held = {
        "gradients and optimiser": trained * (1 + _states(settings.optimizer)),
        "weights of the best epoch": whole,
        "items to measure on": _copies(data),
    }
    was_training = model.training
    model.eval()  # so that no running statistic moves
    peaks = (
        # An update is measured, every so many steps: the weights from before it, their differences.
        {"copies of the weights": 2 * trained},
        {
            "activations of a batch": _activations(model, data.train, len(batch)),
            "pairs of a batch": _pairs(loss, model, data.train, batch),
        },
        {"embedding the held-out items": _embedding(model, data)},
    )
    model.train(was_training)
    return held | max(peaks, key=lambda one: sum(one.values()))


class PeakBytes(TorchDispatchMode):
    """While it is on: how many bytes of tensors that operations made live at once, at most.

    What libraries take inside of an operation is not seen.
    """

    def __init__(self, known: Sequence[Tensor]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.most: int = 0
        self._now: int = 0
        self._seen = {tensor.untyped_storage()._cdata for tensor in known}

    def __torch_dispatch__(
        self,
        operation: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Run an operation of torch and count what it made."""
        made = operation(*args, **(kwargs or {}))
        for tensor in _pytree.tree_leaves(made):
            if isinstance(tensor, Tensor):
                self._count(tensor.untyped_storage())
        return made

    def _count(self, storage: torch.UntypedStorage) -> None:
        key, size = storage._cdata, storage.nbytes()
        if key not in self._seen:
            self._seen.add(key)
            self._now += size
            self.most = max(self.most, self._now)
            weakref.finalize(storage, self._gone, key, size).atexit = False

    def _gone(self, key: int, size: int) -> None:
        self._seen.discard(key)
        self._now -= size


def _activations(model: Model, train: Split, batch_size: int) -> int:
    """Of a batch, forward and backward; the gradients of the weights are left out."""
    trained = [w for w in model.parameters() if w.requires_grad]

    def step(part: Split) -> None:
        total = torch.stack([own.sum() for own in model(part)]).sum()
        torch.autograd.grad(total, trained, allow_unused=True)

    return _of_an_item(model, train, step) * batch_size


def _embedding(model: Model, data: Dataset) -> int:
    """Of the largest batch that is embedded, and of all embeddings while they are measured."""

    def look(part: Split) -> None:
        with torch.no_grad():
            model(part)

    shape = data.train.take(torch.arange(1))
    numbers = max(one.numel() for one in (shape.items, shape.visual) if one is not None)
    batch = min(embedding_batch_size(numbers, data.test.labels.device), len(data.test))
    with torch.no_grad():
        dim: int = sum(own.shape[1] for own in model(shape))
    points = POINT_BYTES * dim * (len(data.test) + len(data.train))
    return _of_an_item(model, data.train, look) * batch + points


def _of_an_item(model: Model, train: Split, run: Callable[[Split], None]) -> int:
    """What one item more takes."""
    most: list[int] = []
    for count in (1, 2):
        part = train.take(torch.arange(count))
        with PeakBytes([*model.parameters(), *model.buffers()]) as living:
            run(part)
        most.append(living.most + _bytes(_tensors(part)))
    return max(0, most[1] - most[0])


def _pairs(loss: Loss, model: Model, train: Split, batch: Tensor) -> int:
    """Of the loss and its gradient at the embeddings."""
    some = batch[:LOSS_ITEMS]
    with torch.no_grad():
        shapes = model(train.take(batch[:1]))
    points = [
        nn.functional.normalize(torch.randn(len(some), own.shape[1], generator=_generator()), dim=1)
        .to(own.device)
        .requires_grad_()
        for own in shapes
    ]
    with PeakBytes([*points, *loss.parameters()]) as living:
        output = compute_loss(loss, points, train.labels[some], _generator())
        if output.value.requires_grad:
            torch.autograd.grad(output.value, points, allow_unused=True)
    return int(living.most * (len(batch) / len(some)) ** 2)


def _generator() -> torch.Generator:
    """Of its own, so that no stream of the run moves on."""
    return torch.Generator().manual_seed(0)


def _copies(data: Dataset) -> int:
    """Of what is measured during training, where that is not a whole split."""
    return sum(
        most * _bytes(_tensors(split.take(torch.arange(1))))
        for most, split in ((VALIDATION_ITEMS, data.validation), (GALLERY_ITEMS, data.train))
        if len(split) > most
    )


def _states(optimizer: Optimizer) -> int:
    """Numbers that an optimiser keeps of each weight."""
    if isinstance(optimizer, SgdOptimizer):
        return int(optimizer.momentum > 0)
    return 2


def _tensors(split: Split) -> list[Tensor]:
    return [one for one in (split.items, split.visual) if one is not None]


def _bytes(tensors: Iterable[Tensor]) -> int:
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)

"""Estimate of the memory that a training needs, made before its first step.

One item and then two go through the network, forward and backward, and the first items of a batch
through the loss, while the bytes alive at the same time are counted. The numbers are scaled up from
there.
"""

import copy
import weakref
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

import torch
from torch import Tensor
from torch.nn import functional
from torch.utils import _pytree
from torch.utils._python_dispatch import TorchDispatchMode

from contract.comparison.training import Optimizer, SgdOptimizer, Training
from worker.data import Dataset, Split
from worker.losses import Loss, TupleLoss
from worker.trainer.evaluation import GALLERY_ITEMS, VALIDATION_ITEMS, embedding_batch_size
from worker.trainer.model import Model, compute_loss

LOSS_ITEMS: Final = 1024
"""Items that go through the loss; its memory for larger batches grows with the number of pairs."""
ADVICE: Final = (
    "Take a smaller batch size, a smaller encoder or images, or a frozen backbone, of which only "
    "the head trains."
)
"""What to do where a training does not fit."""
SHARED_NEEDS: Final = {"items to measure on", "embedding the held-out items"}
"""What runs that train together need once."""
POINT_BYTES: Final = 32
"""Bytes for each number of an embedding while it is measured: the number, and copies in double
precision."""


def training_memory(
    model: Model, loss: Loss | TupleLoss, data: Dataset, settings: Training, batch: Tensor
) -> dict[str, int]:
    """Return the bytes that training needs at its peak, besides data and model, by their purpose.

    Args:
        model: on its device; is not changed.
        loss: on the same device; is not changed.
        data: on the same device.
        settings: batch size and optimiser.
        batch: [batch_size] indices of the items, or tuples, of the training split.
    """
    weights = [w for w in (*model.parameters(), *loss.parameters()) if w.requires_grad]
    trained, whole = _bytes(weights), _bytes(model.state_dict().values())
    held = {
        "gradients and optimiser": trained * (1 + _state_numbers(settings.optimizer)),
        "weights of the best epoch": whole,
        "items to measure on": _copies(data),
    }
    was_training = model.training
    model.eval()  # so that no running statistic changes
    peaks = (
        # For the update norm: the weights before a step, and their differences.
        {"copies of the weights": 2 * trained},
        {
            "activations of a batch": _activations(model, data.train, _items(data.train, batch)),
            "pairs of a batch": _pairs(loss, model, data.train, batch),
        },
        {"embedding the held-out items": _embedding(model, data)},
    )
    model.train(was_training)
    return held | max(peaks, key=lambda needs: sum(needs.values()))


class PeakBytes(TorchDispatchMode):
    """Counts the bytes of the tensors that operations create, while it is active.

    Memory that libraries use within an operation is not seen.

    Attributes:
        peak: most bytes that were alive at the same time.
    """

    def __init__(self, known: Sequence[Tensor]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.peak: int = 0
        self._now: int = 0
        self._seen = {tensor.untyped_storage()._cdata for tensor in known}

    def __torch_dispatch__(
        self,
        operation: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Run an operation of torch and count the tensors that it creates."""
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
            self.peak = max(self.peak, self._now)
            weakref.finalize(storage, self._forget, key, size).atexit = False

    def _forget(self, key: int, size: int) -> None:
        self._seen.discard(key)
        self._now -= size


def _activations(model: Model, train: Split, batch_size: int) -> int:
    """Return the bytes of a batch, forward and backward, without the gradients of the weights."""
    trained = [w for w in model.parameters() if w.requires_grad]

    def step(part: Split) -> None:
        total = torch.stack([points.sum() for points in model(part)]).sum()
        torch.autograd.grad(total, trained, allow_unused=True)

    return _bytes_per_item(model, train, step) * batch_size


def _embedding(model: Model, data: Dataset) -> int:
    """Return the bytes of the largest batch that is embedded, and of all embeddings while they are
    measured."""

    def embed(part: Split) -> None:
        with torch.no_grad():
            model(part)

    item = data.train.take(torch.arange(1))
    numbers = max(tensor.numel() for tensor in _tensors(item))
    held_out = max(len(data.test), len(data.validation))  # a trial has no test split
    batch = min(embedding_batch_size(numbers, data.test.labels.device), held_out)
    with torch.no_grad():
        dim: int = sum(points.shape[1] for points in model(item))
    points = POINT_BYTES * dim * (held_out + len(data.train))
    return _bytes_per_item(model, data.train, embed) * batch + points


def _bytes_per_item(model: Model, train: Split, run: Callable[[Split], None]) -> int:
    """Return the bytes that one more item needs while `run` works on it."""
    peaks: list[int] = []
    for count in (1, 2):
        part = train.take(torch.arange(count))
        with PeakBytes([*model.parameters(), *model.buffers()]) as counter:
            run(part)
        peaks.append(counter.peak + _bytes(_tensors(part)))
    return max(0, peaks[1] - peaks[0])


def _items(train: Split, batch: Tensor) -> int:
    """Return the number of items that a batch embeds at most: of tuples two or three each."""
    return len(batch) * (1 if train.rows is None else train.rows.places.shape[1])


def _pairs(loss: Loss | TupleLoss, model: Model, train: Split, batch: Tensor) -> int:
    """Return the bytes of the loss and of its gradient at the embeddings."""
    some = batch[:LOSS_ITEMS]
    part = train.batch(some)
    with torch.no_grad():
        embeddings = model(part.take(torch.arange(1)))
    points = [
        functional.normalize(
            torch.randn(len(part), example.shape[1], generator=_generator()), dim=1
        )
        .to(example.device)
        .requires_grad_()
        for example in embeddings
    ]
    loss = copy.deepcopy(loss)  # a plug-in may keep something from call to call
    with PeakBytes([*points, *loss.parameters()]) as counter:
        output = compute_loss(loss, points, part, _generator())
        if output.value.requires_grad:
            torch.autograd.grad(output.value, points, allow_unused=True)
    return int(counter.peak * (len(batch) / len(some)) ** 2)


def _generator() -> torch.Generator:
    """Return a new generator, so that no random stream of the run moves on."""
    return torch.Generator().manual_seed(0)


def _copies(data: Dataset) -> int:
    """Return the bytes of the items measured during training, if they are not a whole split."""
    return sum(
        count * _bytes(_tensors(split.take(torch.arange(1))))
        for count, split in ((VALIDATION_ITEMS, data.validation), (GALLERY_ITEMS, data.train))
        if len(split) > count
    )


def _state_numbers(optimizer: Optimizer) -> int:
    """Return how many numbers an optimiser keeps for each weight."""
    if isinstance(optimizer, SgdOptimizer):
        return int(optimizer.momentum > 0)
    return 2


def _tensors(split: Split) -> list[Tensor]:
    return [tensor for tensor in (split.items, split.visual) if tensor is not None]


def _bytes(tensors: Iterable[Tensor]) -> int:
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)

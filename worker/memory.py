"""What a run needs of the memory, told before it takes it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import psutil
import torch
from torch import Tensor, nn

from worker.data import Split
from worker.errors import MemoryEstimateError

CGROUP_LIMITS: Final = (
    ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
    ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"),
)
"""Where a container's limit and use stand, of both versions of control groups."""
OPTIMIZER_STATES: Final = 3
"""A gradient and Adam's two moments for each weight that trains."""
PAIR_MATRICES: Final = 8
"""B x B float32 matrices that a loss and its backward hold at once, at most."""


def check(needs: Mapping[str, int], device: torch.device, advice: str) -> None:
    """Refuse what cannot fit.

    Args:
        needs: bytes by what they are for.
        device: where they are needed.
        advice: what to change.

    Raises:
        MemoryEstimateError: with all numbers.
    """
    free = available(device)
    total = sum(needs.values())
    if total > free:
        listed = ", ".join(f"{what} {in_words(size)}" for what, size in needs.items())
        raise MemoryEstimateError(
            f"this needs about {in_words(total)} of memory ({listed}), and {in_words(free)} are "
            f"free on {device}. {advice}"
        )


def available(device: torch.device) -> int:
    """Bytes that can be taken now; in a container no more than its limit leaves."""
    if device.type == "cuda":
        free: int = torch.cuda.mem_get_info(device)[0]
        return free
    return min(psutil.virtual_memory().available, *_container_free())


def of_training(model: nn.Module, train: Split, batch_size: int) -> dict[str, int]:
    """Bytes that the steps of a training take, by what they are for.

    What the network keeps of a batch for its backward pass is measured on two items and scaled.
    """
    trained = sum(_bytes(p) for p in model.parameters() if p.requires_grad)
    kept = _kept_for_backward(model, train.take(torch.arange(min(2, len(train)))))
    return {
        "gradients and optimiser": OPTIMIZER_STATES * trained,
        "activations of a batch": kept * batch_size // min(2, len(train)),
        "distances of a batch": PAIR_MATRICES * 4 * batch_size**2,
    }


def in_words(size: float) -> str:
    """Bytes for people: "18.4 GB"."""
    for unit in ("bytes", "kB", "MB"):
        if size < 1000:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:,.1f} GB"


def _kept_for_backward(model: nn.Module, batch: Split) -> int:
    """Bytes that a forward pass keeps, each storage once and weights left out."""
    own = {p.untyped_storage().data_ptr() for p in model.parameters()}
    seen: dict[int, int] = {}

    def note(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            seen[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        kept = model(batch)
    del kept
    return sum(seen.values())


def _container_free() -> list[int]:
    free = []
    for limit, used in CGROUP_LIMITS:
        try:
            free.append(int(Path(limit).read_text()) - int(Path(used).read_text()))
        except (OSError, ValueError):  # another version, or "max": no limit
            continue
    return free


def _bytes(tensor: Tensor) -> int:
    return tensor.numel() * tensor.element_size()

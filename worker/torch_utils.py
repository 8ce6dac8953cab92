"""Independent random streams from one seed, so that what one part draws moves no other part.

Independent random streams from one seed, so that what one part draws moves no other part.

From the CPU to a device.
"""

import hashlib
from typing import Literal

import torch
from torch import Tensor

Part = Literal["encoder", "loss", "tuples", "first pass", "subsets", "snapshot", "augmentation"]


def seed_of(seed: int, part: Part) -> int:
    """The part's own 63-bit seed: the first bytes of SHA-256 over both names."""
    digest = hashlib.sha256(f"{seed}/{part}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def generator(seed: int, part: Part) -> torch.Generator:
    """A CPU generator of the part's own stream."""
    return torch.Generator().manual_seed(seed_of(seed, part))


def sent(tensor: Tensor, device: torch.device) -> Tensor:
    """A CPU tensor on a device. A GPU is not waited for: it fetches the copy in its turn, from
    memory that stays where it is."""
    if device.type != "cuda":
        return tensor.to(device)
    return tensor.pin_memory().to(device, non_blocking=True)

"""Independent random streams from one seed, so that what one part draws moves no other part."""

import hashlib
from typing import Literal

import torch

Part = Literal["encoder", "loss", "tuples", "first pass", "subsets", "snapshot", "augmentation"]


def seed_of(seed: int, part: Part) -> int:
    """The part's own 63-bit seed: the first bytes of SHA-256 over both names."""
    digest = hashlib.sha256(f"{seed}/{part}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def generator(seed: int, part: Part) -> torch.Generator:
    """A CPU generator of the part's own stream."""
    return torch.Generator().manual_seed(seed_of(seed, part))

"""Matrix products of K members whose results do not depend on the place of a member.

Libraries of linear algebra may round by where in memory a matrix begins. So the matrices of all
members begin at multiples of 64 bytes, as the one of a single member does; where their size does
not bring that about, they are copied.
"""

from typing import Final

import torch
from torch import Tensor

ALIGNMENT: Final = 16
"""Numbers of float32 in 64 bytes."""


def padded(size: int) -> int:
    """Return the next multiple of the alignment."""
    return -(-size // ALIGNMENT) * ALIGNMENT


def product(first: Tensor, second: Tensor, *, plus: Tensor | None = None) -> Tensor:
    """Return the products [K, N, M] of matrices [K, N, L] and [K, L, M], plus a matrix that
    broadcasts to them."""
    shape = (len(first), first.shape[1], second.shape[2])
    found = _empty(shape, first)
    first, second = _aligned(first), _aligned(second)
    if plus is None:
        torch.bmm(first, second, out=found)
    else:
        torch.baddbmm(plus, first, second, out=found)
    return found.contiguous()


def product_into(out: Tensor, first: Tensor, second: Tensor) -> None:
    """Write the products into aligned matrices [K, N, M]."""
    torch.bmm(_aligned(first), _aligned(second), out=out)


def _aligned(matrices: Tensor) -> Tensor:
    """Return matrices [K, N, M], dense or transposed, each beginning at a multiple of 64 bytes."""
    if matrices.stride(0) % ALIGNMENT == 0:
        return matrices
    if matrices.stride(2) != 1:
        return _aligned(matrices.mT).mT
    return _empty(matrices.shape, matrices).copy_(matrices)


def _empty(shape: tuple[int, ...], like: Tensor) -> Tensor:
    """Return new matrices that begin at multiples of 64 bytes."""
    members, rows, columns = shape
    whole = like.new_empty(members, padded(rows * columns))
    return whole[:, : rows * columns].view(shape)

"""Networks of the same form in one: their weights stacked, each layer one batched product."""

from collections.abc import Iterator, Sequence
from typing import Final

import torch
from torch import Tensor, nn

from worker.encoders.networks import ScalePixels
from worker.encoders.registry import UnitSphere
from worker.errors import InputError
from worker.together.products import padded, product, product_into

MIN_NORM: Final = 1e-12
"""Smallest length that embeddings are divided by, as in `UnitSphere`."""


class StackedWeights:
    """The parameters of K modules of one form in one matrix, which the modules go on to share.

    A row holds all parameters of one member. What is written into the modules, such as a
    checkpoint, is in the matrix, and the other way round. Rows do not overlap, so nothing passes
    from one member to another.
    """

    def __init__(self, parameters: Sequence[Sequence[nn.Parameter]]) -> None:
        """Move parameters into one matrix.

        Args:
            parameters: of each member, of the same shapes in the same order.
        """
        self._parameters = [list(own) for own in parameters]
        self.shapes = [parameter.shape for parameter in self._parameters[0]]
        sizes = [padded(shape.numel()) for shape in self.shapes]
        self.begins = [sum(sizes[:at]) for at in range(len(sizes) + 1)]
        example = self._parameters[0][0]
        shape = (len(self._parameters), self.begins[-1])
        self.values = torch.zeros(shape, dtype=example.dtype, device=example.device)
        """[K, P] the weights; each block begins at a multiple of 64 bytes, and what is between
        them stays 0."""
        self._bind(copy=True)

    def keep(self, members: Sequence[int]) -> None:
        """Keep only these members; the others' modules keep their weights, out of the matrix."""
        self._parameters = [self._parameters[member] for member in members]
        self.values = self.values[list(members)]
        self._bind(copy=False)

    def blocks(self, matrix: Tensor) -> list[Tensor]:
        """Return views [K, *shape] of each parameter in a matrix [K, P] such as the weights."""
        return [
            matrix[:, begin : begin + shape.numel()].view(len(matrix), *shape)
            for begin, shape in zip(self.begins, self.shapes, strict=False)
        ]

    @torch.no_grad()
    def _bind(self, *, copy: bool) -> None:
        for at, block in enumerate(self.blocks(self.values)):
            for member, own in enumerate(self._parameters):
                if copy:
                    block[member].copy_(own[at])
                own[at].data = block[member]


class StackedNetworks:
    """The computation of K networks of linear layers with ReLU between them, on the unit sphere or
    not.

    The gradient is written out instead of left to autograd, whose bookkeeping takes as long as the
    products of a small batch.
    """

    def __init__(self, network: nn.Module, weights: list[Tensor], slopes: list[Tensor]) -> None:
        """Args:
        network: one of the networks, for its form.
        weights: [K, out, in] and [K, out] of each layer in turn.
        slopes: of the same shapes; take the gradient.
        """
        self._on_sphere = any(isinstance(part, UnitSphere) for part in network.modules())
        self._scales = any(isinstance(part, ScalePixels) for part in network.modules())
        self._weights, self._slopes = weights, slopes
        self._inputs: list[Tensor] = []
        self._lengths = self._points = torch.empty(0)

    def forward(self, items: Tensor) -> Tensor:
        """Compute embeddings [K, B, D] of items [K, B, ...] without autograd, before `backward`."""
        if self._scales and not items.is_floating_point():
            items = items.to(torch.float32).div_(255)
        items = items.flatten(2)
        self._inputs = []
        last = len(self._weights) - 2
        for at in range(0, len(self._weights), 2):
            weight, bias = self._weights[at], self._weights[at + 1]
            self._inputs.append(items)
            items = product(items, weight.mT, plus=bias[:, None])
            if at < last:
                items.relu_()
        if self._on_sphere:
            length = torch.linalg.vector_norm(items, dim=2, keepdim=True)
            self._lengths = length.clamp_(min=MIN_NORM)
            items = items.div_(self._lengths)
        self._points = items
        return items

    def backward(self, slopes: Tensor) -> None:
        """Set the gradient of the weights from the derivative by the embeddings [K, B, D]."""
        if self._on_sphere:
            # The component along the embedding only changes its length, which is normalised away.
            # (For a vector shorter than MIN_NORM autograd keeps it; the only one that occurs is 0,
            # where the component is 0 too.)
            along = (slopes * self._points).sum(dim=2, keepdim=True)
            slopes = slopes.sub(along * self._points).div_(self._lengths)
        for at in range(len(self._weights) - 2, -1, -2):
            items = self._inputs[at // 2]
            product_into(self._slopes[at], slopes.mT, items)
            torch.sum(slopes, dim=1, out=self._slopes[at + 1])
            if at:
                slopes = product(slopes, self._weights[at]).mul_(items > 0)


def linear_layers(network: nn.Module) -> list[nn.Linear]:
    """Return the linear layers of a network in order.

    Raises:
        InputError: it is not linear layers with ReLU between them, and normalised or not.
    """
    layers = [
        part for part in _leaf_modules(network) if not isinstance(part, ScalePixels | nn.Flatten)
    ]
    if layers and isinstance(layers[-1], UnitSphere):
        layers.pop()
    linears = [part for part in layers[::2] if isinstance(part, nn.Linear)]
    between = [part for part in layers[1::2] if isinstance(part, nn.ReLU)]
    if not linears or len(linears) + len(between) != len(layers) or len(layers) % 2 == 0:
        raise InputError(f"network: expected linear layers with ReLU between them, got {network}")
    return linears


def _leaf_modules(network: nn.Module) -> Iterator[nn.Module]:
    return (part for part in network.modules() if not any(part.children()))

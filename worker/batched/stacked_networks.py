"""Networks of one form side by side: their weights stacked, each layer one batched product."""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn

from worker.encoders.networks import Pixels
from worker.encoders.registry import UnitSphere
from worker.errors import InputError

SHORT = 1e-12
"""Below this length `UnitSphere` divides by this instead."""


class Stack:
    """K networks of linear layers with ReLU between them, on the unit sphere or not.

    The gradient is written out instead of left to autograd, whose bookkeeping takes as long as the
    products of a small batch.
    """

    def __init__(self, networks: Sequence[nn.Module]) -> None:
        """Copy the weights of networks as `worker.encoders` builds them.

        Raises:
            InputError: a network has other layers, or not the form of the first.
        """
        layers = [_linears(network) for network in networks]
        self._on_sphere = any(isinstance(part, UnitSphere) for part in networks[0].modules())
        shapes = [[layer.weight.shape for layer in own] for own in layers]
        if any(own != shapes[0] for own in shapes):
            raise InputError(f"networks: expected one form, got {shapes}")
        blocks = [
            torch.stack(of).detach()
            for side in zip(*layers, strict=True)
            for of in ([layer.weight for layer in side], [layer.bias for layer in side])
        ]
        # One vector for all: the optimiser works by element and needs no more than one.
        self.weights = nn.Parameter(torch.cat([block.flatten() for block in blocks]))
        """[K P], layer by layer, within a layer seed by seed."""
        self.weights.grad = torch.zeros_like(self.weights)
        self._blocks = _views(self.weights.detach(), blocks)
        self._slopes = _views(self.weights.grad, blocks)
        self._inputs: list[Tensor] = []
        self._lengths = self._points = torch.empty(0)

    def forward(self, items: Tensor) -> Tensor:
        """[K, B, F] -> embeddings [K, B, D]; without autograd, `backward` follows."""
        self._inputs = []
        last = len(self._blocks) - 2
        for at in range(0, len(self._blocks), 2):
            weight, bias = self._blocks[at], self._blocks[at + 1]
            self._inputs.append(items)
            items = torch.baddbmm(bias[:, None], items, weight.mT)
            if at < last:
                items.relu_()
        if self._on_sphere:
            length = torch.linalg.vector_norm(items, dim=2, keepdim=True)
            self._lengths = length.clamp_(min=SHORT)
            items = items.div_(self._lengths)
        self._points = items
        return items

    def backward(self, slopes: Tensor) -> None:
        """From the derivative by the embeddings [K, B, D] to the weights' `grad`."""
        if self._on_sphere:
            # What points along the embedding only changes its length, which is lost. (Of a vector
            # shorter than SHORT autograd keeps it; none is met but 0, where it is 0 too.)
            along = (slopes * self._points).sum(dim=2, keepdim=True)
            slopes = torch.addcmul(slopes, self._points, along, value=-1).div_(self._lengths)
        for at in range(len(self._blocks) - 2, -1, -2):
            items = self._inputs[at // 2]
            torch.bmm(slopes.mT, items, out=self._slopes[at])
            torch.sum(slopes, dim=1, out=self._slopes[at + 1])
            if at:
                slopes = torch.bmm(slopes, self._blocks[at]).mul_(items > 0)

    def gradient_norms(self) -> Tensor:
        """[K] L2 norms of each seed's gradient, of the last `backward`."""
        return _norms(self._slopes)

    def update_norms(self, before: Tensor) -> Tensor:
        """[K] ||step|| / ||weights before it||, of each seed.

        Args:
            before: a copy of the weights from before the step.
        """
        steps = _views(self.weights.detach() - before, self._blocks)
        return _norms(steps) / _norms(_views(before, self._blocks))

    def copy_to(self, networks: Sequence[nn.Module]) -> None:
        """Give networks of the same form the weights, seed by seed."""
        with torch.no_grad():
            for seed, network in enumerate(networks):
                for at, layer in enumerate(_linears(network)):
                    layer.weight.copy_(self._blocks[2 * at][seed])
                    layer.bias.copy_(self._blocks[2 * at + 1][seed])


def _linears(network: nn.Module) -> list[nn.Linear]:
    """The linear layers of a network, in order; between two of them there is a ReLU."""
    layers = [part for part in _leaves(network) if not isinstance(part, Pixels | nn.Flatten)]
    if layers and isinstance(layers[-1], UnitSphere):
        layers.pop()
    linears = [part for part in layers[::2] if isinstance(part, nn.Linear)]
    between = [part for part in layers[1::2] if isinstance(part, nn.ReLU)]
    if not linears or len(linears) + len(between) != len(layers) or len(layers) % 2 == 0:
        raise InputError(f"network: expected linear layers with ReLU between them, got {network}")
    return linears


def _leaves(network: nn.Module) -> Iterator[nn.Module]:
    return (part for part in network.modules() if not isinstance(part, nn.Sequential))


def _views(flat: Tensor, blocks: Sequence[Tensor]) -> list[Tensor]:
    """A vector as blocks of these shapes, in its memory."""
    pieces = flat.split([block.numel() for block in blocks])
    return [piece.view(block.shape) for piece, block in zip(pieces, blocks, strict=True)]


def _norms(blocks: Sequence[Tensor]) -> Tensor:
    """[K] L2 norms over blocks [K, ...]."""
    own = [torch.linalg.vector_norm(block.flatten(1), dim=1) for block in blocks]
    norms: Tensor = torch.linalg.vector_norm(torch.stack(own), dim=0)
    return norms

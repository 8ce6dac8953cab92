"""Networks of the same form in one: their weights stacked, each layer one batched product."""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn

from worker.encoders.networks import ScalePixels
from worker.encoders.registry import UnitSphere
from worker.errors import InputError

MIN_NORM = 1e-12
"""Smallest length that embeddings are divided by, as in `UnitSphere`."""


class StackedNetworks:
    """K networks of linear layers with ReLU between them, on the unit sphere or not.

    The gradient is written out instead of left to autograd, whose bookkeeping takes as long as the
    products of a small batch.
    """

    def __init__(self, networks: Sequence[nn.Module]) -> None:
        """Copy the weights of networks that `worker.encoders` has built.

        Raises:
            InputError: a network has other layers, or another form than the first.
        """
        layers = [_linear_layers(network) for network in networks]
        self._on_sphere = any(isinstance(part, UnitSphere) for part in networks[0].modules())
        shapes = [[layer.weight.shape for layer in own] for own in layers]
        if any(own != shapes[0] for own in shapes):
            raise InputError(f"networks: expected one form, got {shapes}")
        blocks = [
            torch.stack(of).detach()
            for side in zip(*layers, strict=True)
            for of in ([layer.weight for layer in side], [layer.bias for layer in side])
        ]
        # One vector for all weights: the optimiser works element by element and needs only one.
        self.weights = nn.Parameter(torch.cat([block.flatten() for block in blocks]))
        """[K * P] weights of K networks with P each: by layer, within a layer by seed."""
        self.weights.grad = torch.zeros_like(self.weights)
        self._blocks = _views(self.weights.detach(), blocks)
        self._slopes = _views(self.weights.grad, blocks)
        self._inputs: list[Tensor] = []
        self._lengths = self._points = torch.empty(0)

    def forward(self, items: Tensor) -> Tensor:
        """Compute embeddings [K, B, D] of items [K, B, F] without autograd, before `backward`."""
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
            self._lengths = length.clamp_(min=MIN_NORM)
            items = items.div_(self._lengths)
        self._points = items
        return items

    def backward(self, slopes: Tensor) -> None:
        """Set the `grad` of the weights from the derivative by the embeddings [K, B, D]."""
        if self._on_sphere:
            # The component along the embedding only changes its length, which is normalised away.
            # (For a vector shorter than MIN_NORM autograd keeps it; the only one that occurs is 0,
            # where the component is 0 too.)
            along = (slopes * self._points).sum(dim=2, keepdim=True)
            slopes = torch.addcmul(slopes, self._points, along, value=-1).div_(self._lengths)
        for at in range(len(self._blocks) - 2, -1, -2):
            items = self._inputs[at // 2]
            torch.bmm(slopes.mT, items, out=self._slopes[at])
            torch.sum(slopes, dim=1, out=self._slopes[at + 1])
            if at:
                slopes = torch.bmm(slopes, self._blocks[at]).mul_(items > 0)

    def gradient_norms(self) -> Tensor:
        """Return the L2 norm of each seed's gradient after the last `backward`, [K]."""
        return _norms(self._slopes)

    def update_norms(self, before: Tensor) -> Tensor:
        """Return ||step|| / ||weights before it|| of each seed, [K].

        Args:
            before: a copy of the weights from before the step.
        """
        steps = _views(self.weights.detach() - before, self._blocks)
        return _norms(steps) / _norms(_views(before, self._blocks))

    def copy_to(self, networks: Sequence[nn.Module]) -> None:
        """Copy the weights into networks of the same form, one for each seed."""
        with torch.no_grad():
            for seed, network in enumerate(networks):
                for at, layer in enumerate(_linear_layers(network)):
                    layer.weight.copy_(self._blocks[2 * at][seed])
                    layer.bias.copy_(self._blocks[2 * at + 1][seed])


def _linear_layers(network: nn.Module) -> list[nn.Linear]:
    """Return the linear layers of a network in order, after checking that ReLU separates them."""
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
    return (part for part in network.modules() if not isinstance(part, nn.Sequential))


def _views(flat: Tensor, blocks: Sequence[Tensor]) -> list[Tensor]:
    """Return views of a vector with the shapes of the blocks; they share its memory."""
    pieces = flat.split([block.numel() for block in blocks])
    return [piece.view(block.shape) for piece, block in zip(pieces, blocks, strict=True)]


def _norms(blocks: Sequence[Tensor]) -> Tensor:
    """Return the L2 norms [K] over all blocks [K, ...]."""
    own = [torch.linalg.vector_norm(block.flatten(1), dim=1) for block in blocks]
    norms: Tensor = torch.linalg.vector_norm(torch.stack(own), dim=0)
    return norms

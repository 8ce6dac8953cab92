"""Static models: a vector for each token, whatever stands around it; a text is the mean of its own.

The bundled one is WordLlama's: vectors of large language models, made smaller and trained further
(Miller 2024). Only the tokenizer and the weights in its package are read; the package itself is not
imported. Models of one's own are read in the format of model2vec (Tulkens & van Dongen 2024), or as
sentence-transformers stores a static embedding.
"""

import json
from collections.abc import Mapping
from importlib import util
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.nn import functional

from contract.comparison.encoder import TextEncoder
from worker.encoders.text.files import read_json, read_tokenizer
from worker.encoders.text.model import TextFacts, TextModel, model_folder
from worker.encoders.weights import read_weights
from worker.errors import DataError

PACKAGE: Final = "wordllama"
BUNDLED: Final = (
    Path("tokenizers", "l2_supercat_tokenizer_config.json"),
    Path("weights", "l2_supercat_256.safetensors"),
)
"""Files of the package: the tokenizer, and the vectors [32000, 256] in half precision."""
TOKENIZER: Final = "tokenizer.json"
WEIGHTS: Final = "model.safetensors"
CONFIG: Final = "config.json"
MODULE: Final = "0_StaticEmbedding"
"""Folder within a model of sentence-transformers that holds the static embedding."""
TABLES: Final = ("embeddings", "embedding.weight")
"""Names of the vectors: model2vec's and WordLlama's, and sentence-transformers'."""


class StaticNetwork(nn.Module):
    """The vectors of all tokens, and how a text's become one."""

    weights: Tensor | None
    mapping: Tensor | None

    def __init__(
        self, table: Tensor, weights: Tensor | None = None, mapping: Tensor | None = None
    ) -> None:
        super().__init__()
        self.table = nn.Parameter(table)
        """[V, F] float32."""
        self.register_buffer("weights", weights)
        """[T] float32, of each token; None where all weigh the same."""
        self.register_buffer("mapping", mapping)
        """[T] int64, the row of each token; None where token t has row t."""

    def forward(self, tokens: Tensor) -> Tensor:
        """[B, L] int32, negative where a text is over -> [B, F]; zeros without tokens."""
        there = tokens >= 0
        counts = there.sum(dim=1)
        flat = tokens[there].to(torch.int64)
        rows = flat if self.mapping is None else self.mapping[flat]
        own = None if self.weights is None else self.weights[flat]
        total = functional.embedding_bag(
            rows, self.table, counts.cumsum(0) - counts, mode="sum", per_sample_weights=own
        )
        return total / counts.clamp(min=1)[:, None]


class StaticModel(TextModel):
    """A tokenizer with a static network."""

    def __init__(self, tokenizer: Any, network: StaticNetwork, facts: TextFacts) -> None:
        super().__init__(facts, network.table.shape[1])
        tokenizer.no_padding()
        tokenizer.enable_truncation(facts.max_tokens)
        self._tokenizer = tokenizer
        self.network = network

    def ids(self, text: str) -> list[int]:
        """Return the tokens of a text, at most `max_tokens`, without those of special meaning."""
        found: list[int] = self._tokenizer.encode(text, add_special_tokens=False).ids
        left_out = self.facts.without
        return found if left_out is None else [token for token in found if token != left_out]

    def forward(self, tokens: Tensor) -> Tensor:
        """[B, L] int32, with PAD behind the tokens of shorter texts -> [B, features]."""
        found: Tensor = self.network(tokens)
        return functional.normalize(found, dim=1) if self.facts.normalize else found


def build_model(spec: TextEncoder) -> StaticModel:
    """Build the static model of a spec, in evaluation mode.

    Raises:
        DataError: it is missing or damaged.
    """
    if not spec.model:
        tokenizer, weights = bundled_files()
        return _build(spec, tokenizer, weights, {}).eval()
    place = model_folder(spec)
    own = place / MODULE if (place / MODULE).is_dir() else place
    config = read_json(own / CONFIG)
    return _build(spec, own / TOKENIZER, own / WEIGHTS, config).eval()


def bundled_files() -> tuple[Path, Path]:
    """Return the paths of the bundled tokenizer and weights.

    Raises:
        DataError: the package is not installed.
    """
    found = util.find_spec(PACKAGE)
    places = None if found is None else found.submodule_search_locations
    if not places:
        raise DataError(
            f"the bundled static encoder needs the package {PACKAGE}, which this worker lacks (it "
            "has no wheel for Python 3.14): install it, pip install -c constraints.txt --group "
            "worker, with Python 3.11 to 3.13, or name a static model of your own"
        )
    tokenizer, weights = (Path(places[0]) / file for file in BUNDLED)
    return tokenizer, weights


def _build(
    spec: TextEncoder, tokenizer_file: Path, weights_file: Path, config: Mapping[str, Any]
) -> StaticModel:
    tokenizer, digest = read_tokenizer(tokenizer_file)
    network = _network(weights_file)
    _check_size(tokenizer, network, weights_file)
    facts = TextFacts(
        kind=spec.kind,
        model=spec.model,
        tokenizer=digest,
        max_tokens=spec.max_tokens,
        normalize=bool(config.get("normalize", False)),
        without=_unknown_token(tokenizer) if spec.model else None,
    )
    return StaticModel(tokenizer, network, facts)


def _network(path: Path) -> StaticNetwork:
    found = read_weights(path)
    name = next((name for name in TABLES if name in found), None)
    table = None if name is None else found[name]
    if table is None or table.ndim != 2:
        raise DataError(
            f"{path} holds no table of vectors named {' or '.join(TABLES)}; it holds "
            f"{', '.join(sorted(found)[:10])}"
        )
    weights, mapping = found.get("weights"), found.get("mapping")
    return StaticNetwork(
        table.to(torch.float32),
        None if weights is None else weights.to(torch.float32),
        None if mapping is None else mapping.to(torch.int64),
    )


def _check_size(tokenizer: Any, network: StaticNetwork, path: Path) -> None:
    """Check that each token has a vector.

    Raises:
        DataError: some have none.
    """
    tokens = 1 + max(tokenizer.get_vocab(with_added_tokens=True).values(), default=-1)
    rows = len(network.table)
    held = {"vectors": rows}
    if network.mapping is not None:
        held = {"places in the mapping": len(network.mapping)}
        if (
            len(network.mapping)
            and not 0 <= int(network.mapping.min()) <= int(network.mapping.max()) < rows
        ):
            raise DataError(f"{path} maps tokens to rows beyond its table of {rows:,}")
    if network.weights is not None:
        held["weights"] = len(network.weights)
    for what, count in held.items():
        if count < tokens:
            raise DataError(
                f"{path} holds {count:,} {what}, and the tokenizer beside it has {tokens:,} tokens"
            )


def _unknown_token(tokenizer: Any) -> int | None:
    """Return the id of the token for what is unknown, which model2vec leaves out; None if there is
    none."""
    model = json.loads(tokenizer.to_str())["model"]
    if isinstance(number := model.get("unk_id"), int):
        return number
    name = model.get("unk_token")
    return tokenizer.token_to_id(name) if isinstance(name, str) else None

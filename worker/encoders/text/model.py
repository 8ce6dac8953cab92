"""What all models for texts have in common: tokens, features, and the folders they lie in."""

import difflib
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import torch
from torch import Tensor, nn

from contract.comparison.encoder import TextEncoder
from contract.settings import MODEL_ROOTS
from worker.encoders.weights import weights_digest
from worker.errors import DataError
from worker.settings import model_roots

PAD: Final = -1
"""Stands behind the tokens of a text that has fewer than others."""
FIELD: Final = "encoder.model"
"""The field of a spec that names a model, for people."""
_SHOWN: Final = 10
"""Folders that a message lists."""


@dataclass(frozen=True)
class TextFacts:
    """What besides its weights decides features, for the script of a model that is kept."""

    kind: str
    """Of the encoder."""
    model: str
    """Name of its folder; empty for the bundled one."""
    tokenizer: str
    """SHA-256 of the tokenizer's file."""
    max_tokens: int
    """Of a text that are read."""
    normalize: bool
    """Whether features are L2-normalised."""
    pooling: str = "mean"
    """How the tokens of a text become one vector."""
    without: int | None = None
    """Id of the token that is left out, the unknown one; None for none."""

    @property
    def words(self) -> list[str]:
        """The facts as words, which the digest covers; not the name, which may change."""
        return [f"{name}={value}" for name, value in asdict(self).items() if name != "model"]


class TextModel(nn.Module):
    """A model from tokens to features, in evaluation mode unless it trains."""

    network: nn.Module
    """Its weights."""

    def __init__(self, facts: TextFacts, features: int) -> None:
        super().__init__()
        self.facts = facts
        self.features = features
        """Number of features of a text."""

    @abstractmethod
    def ids(self, text: str) -> list[int]:
        """Return the tokens of a text, at most `max_tokens`."""

    @abstractmethod
    def forward(self, tokens: Tensor) -> Tensor:
        """[B, L] int32, with PAD behind the tokens of shorter texts -> [B, features]."""

    def tokens(self, texts: Sequence[str]) -> Tensor:
        """Return the tokens of texts [N, L] int32; L is the longest text's number of them, at
        least 1."""
        each = [self.ids(text) for text in texts]
        found = torch.full((len(each), max(1, *map(len, each))), PAD, dtype=torch.int32)
        for row, ids in enumerate(each):
            found[row, : len(ids)] = torch.tensor(ids, dtype=torch.int32)
        return found

    @property
    def digest(self) -> str:
        """SHA-256 of everything that decides the features: tokenizer, pooling, weights."""
        return weights_digest(self.facts.words, self.network)


def model_folder(spec: TextEncoder) -> Path:
    """Return the folder of a model of one's own, links followed.

    Raises:
        DataError: the operator allows no folders, none of them has this model, or a link leads out
            of them.
        SettingsError: that setting has no usable value.
    """
    roots = model_roots()
    if not roots:
        raise DataError(
            f"{FIELD}: {spec.model!r} is a model of one's own, and this worker has none: its "
            f"operator names the folders that models lie in with {MODEL_ROOTS}"
        )
    for root in roots:
        path = (root / spec.model).resolve()
        if not path.is_dir():
            continue
        if not path.is_relative_to(root.resolve()):
            raise DataError(
                f"{FIELD}: {root / spec.model} leads to {path}, out of the folders of "
                f"{MODEL_ROOTS}; put the model's folder itself there"
            )
        return path
    raise DataError(
        f"{FIELD}: there is no folder {spec.model!r} in {', '.join(map(str, roots))} "
        f"({MODEL_ROOTS}); {_there_are(spec.model, roots)}"
    )


def _there_are(name: str, roots: Sequence[Path]) -> str:
    """Return which models there are, those of similar names first."""
    names = sorted(
        {path.name for root in roots if root.is_dir() for path in root.iterdir() if path.is_dir()}
    )
    if not names:
        return "they hold no folders"
    close = difflib.get_close_matches(name, names, n=_SHOWN, cutoff=0.6)
    shown = [*close, *(one for one in names if one not in close)][:_SHOWN]
    more = f" and {len(names) - len(shown)} more" if len(names) > len(shown) else ""
    return f"there are {', '.join(shown)}{more}"

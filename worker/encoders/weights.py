"""The weights that a backbone starts from: published ones, random ones, or a file's."""

import hashlib
import pickle
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from worker.data.sources.downloads import fetch
from worker.data.sources.locks import locked
from worker.errors import DataError
from worker.reporting.progress import Progress

SHOWN: Final = 10
"""Keys named in a message; the others are counted."""
WRAPPERS: Final = ("state_dict", "model")
"""Under which training scripts put the weights in their checkpoints."""
PREFIXES: Final = ("module.", "_orig_mod.")
"""Put before keys by parallel and compiled modules."""
UNREADABLE: Final = (
    OSError,
    EOFError,
    RuntimeError,  # a broken zip
    AttributeError,  # this and the next three: what a damaged pickle runs into
    LookupError,
    TypeError,
    ValueError,
    pickle.UnpicklingError,  # also where a file wants to run code
    SafetensorError,
)


def downloaded(url: str, folder: Path, progress: Progress) -> Mapping[str, Tensor]:
    """The published weights at a URL, fetched once into the folder's `weights`.

    Their file name ends with the first digits of its SHA-256, as PyTorch's hub has it.

    Raises:
        DataError: they are not there and cannot be fetched, or are damaged.
    """
    name = url.rpartition("/")[2]
    place = folder / "weights" / name
    try:
        with locked(place.parent, name, progress):
            if not place.is_file():
                fetch([url], place, sha256=Path(name).stem.rpartition("-")[2], progress=progress)
    except OSError as error:
        raise DataError(f"{name} cannot be written into {place.parent}: {error}") from error
    return read(place)


def read(path: Path) -> Mapping[str, Tensor]:
    """The state dict in a file; a file can bring tensors and no code.

    Raises:
        DataError: it is not there, or is no state dict.
    """
    if not path.is_file():
        raise DataError(f"there is no weights file {path} on this worker's machine")
    try:
        found: object
        if path.suffix == ".safetensors":
            found = load_file(path)
        else:
            found = torch.load(path, map_location="cpu", weights_only=True)
    except UNREADABLE as error:
        seen = next(iter(str(error).splitlines()), type(error).__name__)
        raise DataError(
            f"{path} cannot be read as weights: {seen} Save a plain state dict: "
            "torch.save(model.state_dict(), path)"
        ) from error
    for wrapper in WRAPPERS:
        if isinstance(found, Mapping) and isinstance(found.get(wrapper), Mapping):
            found = found[wrapper]
    if not isinstance(found, Mapping) or not all(isinstance(v, Tensor) for v in found.values()):
        raise DataError(f"{path} holds no state dict, which is a dict of tensors by name")
    return {_bare(key): value for key, value in found.items()}


def fill(network: nn.Module, found: Mapping[str, Tensor], *, classifier: str, source: str) -> None:
    """Give a network its weights; those of the classifier are left out.

    Raises:
        DataError: names the weights that are missing, unknown, or of another shape.
    """
    own = network.state_dict()
    given = {key: value for key, value in found.items() if not key.startswith(classifier)}
    wrong = [
        *(f"{key} is missing" for key in own if key not in given),
        *(f"{key} is unknown" for key in given if key not in own),
        *(
            f"{key} is {list(given[key].shape)} instead of {list(own[key].shape)}"
            for key in own
            if key in given and given[key].shape != own[key].shape
        ),
    ]
    if wrong:
        more = f" and {len(wrong) - SHOWN} more" if len(wrong) > SHOWN else ""
        raise DataError(f"{source} does not fit: {', '.join(wrong[:SHOWN])}{more}")
    network.load_state_dict(given)


def digest_of(words: Sequence[str], network: nn.Module) -> str:
    """SHA-256 over words and all weights."""
    digest = hashlib.sha256("\0".join(words).encode())
    for key, value in network.state_dict().items():
        digest.update(f"\0{key}\0{value.dtype}\0{tuple(value.shape)}\0".encode())
        digest.update(value.detach().contiguous().cpu().numpy().tobytes())
    return digest.hexdigest()


def _bare(key: str) -> str:
    for prefix in PREFIXES:
        key = key.removeprefix(prefix)
    return key

"""Initial weights of backbones: downloaded, read from a file, and put into a network."""

import hashlib
import pickle
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from contract.dataset_files.regular_file import NotRegularError, regular_file
from worker.data.sources.downloads import fetch
from worker.data.sources.locks import locked
from worker.errors import DataError
from worker.reporting.progress import Progress

SHOWN: Final = 10
"""Keys named in a message; the others are counted."""
WRAPPERS: Final = ("state_dict", "model")
"""Keys under which training scripts store the weights in their checkpoints."""
PREFIXES: Final = ("module.", "_orig_mod.")
"""Prefixes that parallel and compiled modules add to keys."""
UNREADABLE: Final = (
    OSError,
    EOFError,
    RuntimeError,  # a broken zip
    AttributeError,  # this and the next three: raised by a damaged pickle
    LookupError,
    TypeError,
    ValueError,
    pickle.UnpicklingError,  # also raised where a file would run code
    SafetensorError,
)


def download_weights(url: str, folder: Path, progress: Progress) -> Mapping[str, Tensor]:
    """Return the published weights at a URL, fetched once into the folder's `weights`.

    The file name ends with the first digits of the file's SHA-256, as in PyTorch's hub.

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
    return read_weights(place)


def read_weights(path: Path) -> Mapping[str, Tensor]:
    """Read the state dict in a file, without running any code in it.

    Raises:
        DataError: the file is not there, or holds no state dict.
    """
    try:
        found: object
        with regular_file(path) as opened:
            if path.suffix == ".safetensors":
                found = load_file(opened)
            else:
                found = torch.load(opened, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise DataError(f"there is no weights file {path} on this worker's machine") from error
    except NotRegularError as error:
        raise DataError(f"{path} cannot be read as weights: {error}") from error
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
    return {_without_prefixes(key): value for key, value in found.items()}


def load_into(
    network: nn.Module, found: Mapping[str, Tensor], *, classifier: str, source: str
) -> None:
    """Load weights into a network, without those of the classifier.

    Raises:
        DataError: weights are missing, unknown or of another shape; names the first of them.
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


def weights_digest(words: Sequence[str], network: nn.Module) -> str:
    """Return the SHA-256 of words and all weights."""
    digest = hashlib.sha256("\0".join(words).encode())
    for key, value in network.state_dict().items():
        digest.update(f"\0{key}\0{value.dtype}\0{tuple(value.shape)}\0".encode())
        digest.update(value.detach().contiguous().cpu().numpy().tobytes())
    return digest.hexdigest()


def _without_prefixes(key: str) -> str:
    for prefix in PREFIXES:
        key = key.removeprefix(prefix)
    return key

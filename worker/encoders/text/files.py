"""The files in a folder of a model for texts: its tokenizer, and settings as JSON."""

import hashlib
import json
from importlib import import_module
from pathlib import Path
from typing import Any

from contract.dataset_files.regular_file import regular_file
from worker.errors import DataError


def read_tokenizer(path: Path) -> tuple[Any, str]:
    """Return the tokenizer in a file, and the SHA-256 of the file.

    Raises:
        DataError: it is not there, or damaged.
    """
    # Imported at first use, in a trainer: the process that trainers are forked from has no use.
    tokenizers = import_module("tokenizers")
    try:
        with regular_file(path) as opened:
            content = opened.read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}") from error
    try:
        return tokenizers.Tokenizer.from_buffer(content), hashlib.sha256(content).hexdigest()
    except Exception as error:  # the library raises no narrower class
        raise DataError(f"{path} is no tokenizer that can be read: {error}") from error


def read_json(path: Path) -> Any:
    """Return what a JSON file holds; an empty object if there is no such file.

    Raises:
        DataError: it cannot be read.
    """
    try:
        with regular_file(path) as opened:
            return json.loads(opened.read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"{path} cannot be read as JSON: {error}") from error

"""Versions that the numbers of a run depend on; they are stored with it."""

import tomllib
from functools import cache
from pathlib import Path
from typing import Final

MEASURES_VERSION: Final = 2
"""Version of the definitions of all measures. Count it up when one of them changes, so that its
value for the same embeddings or steps is another: runs of two versions do not compare."""

_PROJECT: Final = Path(__file__).resolve().parents[2] / "pyproject.toml"
"""Every installation has this file: dependencies are installed by it."""


@cache
def engine_version() -> str:
    """Return the version of the product."""
    return str(tomllib.loads(_PROJECT.read_text(encoding="utf-8"))["project"]["version"])


def run_versions() -> dict[str, str]:
    """Return the versions that a run of this installation is stored with."""
    return {"engine": engine_version(), "measures": str(MEASURES_VERSION)}

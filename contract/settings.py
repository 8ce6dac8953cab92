"""The settings of all processes: every name, and what API and worker share in reading them.

One process alone cannot tell a mistyped name from a setting of another process, so all names are
listed here. docs/SETTINGS.md describes each.
"""

import difflib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field, ValidationError
from pydantic_core import PydanticCustomError

PREFIX: Final = "LOSSBOARD_"
NAMES: Final = frozenset(
    {
        "LOSSBOARD_ALERT_HOSTS",
        "LOSSBOARD_ALLOWED_HOSTS",
        "LOSSBOARD_API_URL",
        "LOSSBOARD_BASE_PATH",
        "LOSSBOARD_CACHE_DIR",
        "LOSSBOARD_CACHE_GB",
        "LOSSBOARD_CHECKPOINT_S",
        "LOSSBOARD_CHROMIUM",
        "LOSSBOARD_DATABASE_URL",
        "LOSSBOARD_DATASETS_DIR",
        "LOSSBOARD_DATA_DIR",
        "LOSSBOARD_DATA_ROOTS",
        "LOSSBOARD_DEVICE",
        "LOSSBOARD_DRAIN_S",
        "LOSSBOARD_HANG_S",
        "LOSSBOARD_HOST",
        "LOSSBOARD_KEEP_RAW_DAYS",
        "LOSSBOARD_KEEP_SNAPSHOT_DAYS",
        "LOSSBOARD_KEEP_WEIGHTS",
        "LOSSBOARD_LAUNCHER_TOKEN",
        "LOSSBOARD_LEASE_S",
        "LOSSBOARD_LOG_FORMAT",
        "LOSSBOARD_LOSSES",
        "LOSSBOARD_MAX_MODEL_MB",
        "LOSSBOARD_MAX_UPLOAD_MB",
        "LOSSBOARD_MODEL_ROOTS",
        "LOSSBOARD_MOST_TRIALS",
        "LOSSBOARD_PARENT",
        "LOSSBOARD_PUBLIC_URL",
        "LOSSBOARD_SUBMITS_PER_MIN",
        "LOSSBOARD_TOKEN",
        "LOSSBOARD_TOKENS",
        "LOSSBOARD_TOKENS_FILE",
        "LOSSBOARD_TORCH_THREADS",
        "LOSSBOARD_TRUSTED_PROXIES",
        "LOSSBOARD_UI_SECRET",
        "LOSSBOARD_WORKER_NAME",
        "LOSSBOARD_WORKER_TOKEN",
    }
)
"""Every variable that begins with the prefix: of all processes, the command line and the tests."""


def variable(name: str) -> Any:
    """Name the environment variable of a field."""
    return Field(validation_alias=name)


def problem(text: str) -> PydanticCustomError:
    """Return the error for a wrong value; its text follows the variable's name."""
    return PydanticCustomError("setting", "{text}", {"text": text})


def _absolute_paths(value: object) -> object:
    """Parse a text that separates absolute paths as PATH does, or by commas."""
    if not isinstance(value, str):
        return value
    parts = value.replace(os.pathsep, ",").split(",")
    paths = tuple(Path(part.strip()) for part in parts if part.strip())
    for path in paths:
        if not path.is_absolute():
            raise problem(f"names {path}; needs absolute paths")
    return paths


DATA_ROOTS: Final = "LOSSBOARD_DATA_ROOTS"
MODEL_ROOTS: Final = "LOSSBOARD_MODEL_ROOTS"
Folders = Annotated[tuple[Path, ...], BeforeValidator(_absolute_paths)]
DataRoots = Folders
"""Folders in which files and folders of specs must lie; none: anywhere."""


def unknown_names(environ: Mapping[str, str]) -> list[str]:
    """Return a line for each variable that begins with the prefix and is no setting."""
    lines = []
    for name in sorted(environ):
        if name.startswith(PREFIX) and name not in NAMES:
            close = difflib.get_close_matches(name, NAMES, n=1, cutoff=0.75)
            hint = f"did you mean {close[0]}?" if close else "docs/SETTINGS.md lists all; unset it"
            lines.append(f"{name} is not a setting; {hint}")
    return lines


def problem_lines(error: ValidationError, missing: Mapping[str, str]) -> list[str]:
    """Return a line for each problem, with its variable and without any secret value.

    Args:
        error: what the validation of the variables found.
        missing: for each variable without a default, what to set it to.
    """
    found = error.errors(include_url=False, include_input=False)
    lines = []
    for entry in found:
        name = str(entry["loc"][0])
        text = f"is not set ({missing[name]})" if entry["type"] == "missing" else entry["msg"]
        lines.append(f"{name} {text}")
    return lines

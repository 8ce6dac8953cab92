"""The paths of the workers' machine that a spec names, and the folders in which they must lie."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from contract.comparison.problems import Problem

FIELDS: Final = (
    ("data", "file"),
    ("data", "folder"),
    ("encoder", "weights_file"),
    ("visual_encoder", "weights_file"),
)
"""The fields with such a path: section and name."""


def path_problems(raw: object, roots: Sequence[Path]) -> list[Problem]:
    """Return a problem for each path of a posted spec that lies in none of these folders.

    It judges paths as they are written, because only a worker can follow links. The rest of the
    spec may be invalid. No folders allow every path.
    """
    if not roots or not isinstance(raw, Mapping):
        return []
    listed = ", ".join(map(str, roots))
    found = []
    for section, name in FIELDS:
        fields = raw.get(section)
        given = fields.get(name) if isinstance(fields, Mapping) else None
        if not isinstance(given, str) or not given:
            continue
        path = Path(os.path.normpath(given))
        if not any(path.is_relative_to(root) for root in roots):
            message = f"{given} lies in none of the folders for data: {listed}; put it into one"
            found.append(Problem(f"{section}.{name}", message))
    return found

"""A table of features with labels."""

from pathlib import Path
from typing import Final

from contract.intake.files import open_columns
from contract.intake.limits import DEFAULT, Limits
from contract.intake.problems import Findings
from contract.intake.sets import FeatureTable
from contract.intake.table import build

MATRICES: Final = {"features": "f"}


def read_features(path: Path, limits: Limits = DEFAULT) -> FeatureTable:
    """Read and check a table of one modality.

    Args:
        path: an npz file with features [N, D] and labels [N]; or Parquet with columns f0, f1, ...
            or a column `features` of lists, and `label`. Both may have fine labels and ids.
        limits: of what is read.

    Raises:
        IntakeError: with every row that is not as it should be.
    """
    findings = Findings()
    with open_columns(path, MATRICES, limits, findings) as columns:
        return build(columns, MATRICES, limits, findings)

"""A table of features with labels."""

from pathlib import Path
from typing import Final

from contract.dataset_files.checked_dataset import FeatureTable
from contract.dataset_files.limits import DEFAULT, Limits
from contract.dataset_files.problems import Findings
from contract.dataset_files.table import build
from contract.dataset_files.table_file import open_columns

FEATURE_MATRICES: Final = {"features": "f"}


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
    with open_columns(path, FEATURE_MATRICES, limits, findings) as columns:
        return build(columns, FEATURE_MATRICES, limits, findings)

"""Tables of features with labels, of one modality or of pairs of two, read from any format."""

import contextlib
from pathlib import Path
from typing import Final

from contract.dataset_files.columns import Column
from contract.dataset_files.hdf5 import h5_columns, open_h5
from contract.dataset_files.problems import DEFAULT, FeatureTable, Findings, Limits
from contract.dataset_files.table import build
from contract.dataset_files.table_file import open_columns

FEATURE_MATRICES: Final = {"features": "f"}


def read_features(path: Path, limits: Limits = DEFAULT) -> FeatureTable:
    """Read and check a table of one modality.

    Args:
        path: an npz file with features [N, D] and labels [N]; or Parquet with columns f0, f1, ...
            or a column `features` of lists, and `label`. Both may have fine labels and ids.
        limits: bounds on the size of the data.

    Raises:
        IntakeError: with every problem found, row by row.
    """
    findings = Findings()
    with open_columns(path, FEATURE_MATRICES, limits, findings) as columns:
        return build(columns, FEATURE_MATRICES, limits, findings)


PAIRED_MATRICES: Final = {"audio": "a", "visual": "v"}
AVE_FILES: Final = {
    "audio": "audio_feature.h5",
    "visual": "visual_feature.h5",
    "labels": "labels.h5",
}
"""The files of the AVE data set's features; each holds one array."""


def read_paired(path: Path, limits: Limits = DEFAULT) -> FeatureTable:
    """Read and check a table of two modalities.

    Features for each second [N, T, D], or for each second and position in the image, are averaged.
    Labels may be numbers or words [N], marks [N, C], or marks for each second [N, T, C].

    Args:
        path: an npz, HDF5 or MATLAB file with audio, visual and labels; Parquet with columns a0,
            a1, ... and v0, v1, ... or columns of lists; or a folder with the files of AVE.
        limits: bounds on the size of the data.

    Raises:
        IntakeError: with every problem found, row by row.
    """
    findings = Findings()
    if path.is_dir():
        return _ave(path, limits, findings)
    with open_columns(path, PAIRED_MATRICES, limits, findings) as columns:
        return build(columns, PAIRED_MATRICES, limits, findings)


def _ave(folder: Path, limits: Limits, findings: Findings) -> FeatureTable:
    """Read the folder of AVE's features; the last of its 29 classes is background."""
    for file in AVE_FILES.values():
        if not (folder / file).is_file():
            findings.add(file, f"is not in {folder}; AVE's features are three files")
    findings.settle()
    columns: dict[str, Column] = {}
    with contextlib.ExitStack() as stack:
        for name, file in AVE_FILES.items():
            opened = stack.enter_context(open_h5(folder / file, findings))
            found = list(h5_columns(opened, None, findings).values())
            if len(found) == 1:
                columns[name] = found[0]
            else:
                findings.add(file, f"holds {len(found)} arrays; needs one")
        findings.settle()
        return build(columns, PAIRED_MATRICES, limits, findings, background=True)

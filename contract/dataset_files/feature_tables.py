"""Tables of features with labels, of one modality or of pairs of two, read from any format."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from contract.dataset_files.columns import Column
from contract.dataset_files.hdf5 import h5_columns, open_h5
from contract.dataset_files.matfile import mat_columns
from contract.dataset_files.npz import npz_columns
from contract.dataset_files.parquet import open_parquet, parquet_columns
from contract.dataset_files.problems import DEFAULT_LIMITS, FeatureTable, Findings, Limits
from contract.dataset_files.questions import NO_ANSWERS, Answers
from contract.dataset_files.regular_file import regular_file
from contract.dataset_files.table import OTHER_COLUMNS, build_table
from contract.dataset_files.zip_files import open_zip

FEATURE_MATRICES: Final = {"features": "f"}

PAIRED_MATRICES: Final = {"audio": "a", "visual": "v"}

AVE_FILES: Final = {
    "audio": "audio_feature.h5",
    "visual": "visual_feature.h5",
    "labels": "labels.h5",
}
"""The files of the AVE data set's features; each holds one array."""

_FIRST_BYTES: Final = {
    b"PK": "npz",
    b"PAR1": "parquet",
    b"\x89HDF\r\n\x1a\n": "h5",
    b"MATLAB 7.3 MAT-file": "h5",
    b"MATLAB 5.0 MAT-file": "mat",
    b"\x93NUMPY": "npy",
}
"""First bytes of a file -> its format."""


def read_features(
    path: Path, limits: Limits = DEFAULT_LIMITS, answers: Answers = NO_ANSWERS, *, ask: bool = False
) -> FeatureTable:
    """Read and check a table of one modality.

    Args:
        path: an npz file with features [N, D] and labels [N]; or Parquet with columns f0, f1, ...
            or a column `features` of lists, and `label`. Both may have fine labels and ids.
        limits: bounds on the size of the data.
        answers: how to read what can be read in several ways.
        ask: whether a missing answer is an error; if not, features of more than two dimensions are
            averaged.

    Raises:
        IntakeError: with every problem found, row by row.
        UnansweredError: an answer is missing.
    """
    findings = Findings()
    dimensions = answers.dimensions or (None if ask else "mean")
    with open_columns(path, FEATURE_MATRICES, limits, findings) as columns:
        return build_table(columns, FEATURE_MATRICES, limits, findings, dimensions=dimensions)


def read_paired(
    path: Path, limits: Limits = DEFAULT_LIMITS, answers: Answers = NO_ANSWERS
) -> FeatureTable:
    """Read and check a table of two modalities.

    Features for each second [N, T, D], or for each second and position in the image, are averaged
    unless the answers say otherwise. Labels may be numbers or words [N], marks [N, C], or marks for
    each second [N, T, C].

    Args:
        path: an npz, HDF5 or MATLAB file with audio, visual and labels; Parquet with columns a0,
            a1, ... and v0, v1, ... or columns of lists; or a folder with the files of AVE.
        limits: bounds on the size of the data.
        answers: how to read what can be read in several ways.

    Raises:
        IntakeError: with every problem found, row by row.
    """
    findings = Findings()
    if path.is_dir():
        return _read_ave(path, limits, findings)
    dimensions = answers.dimensions or "mean"
    with open_columns(path, PAIRED_MATRICES, limits, findings) as columns:
        return build_table(columns, PAIRED_MATRICES, limits, findings, dimensions=dimensions)


def _read_ave(folder: Path, limits: Limits, findings: Findings) -> FeatureTable:
    """Read the folder of AVE's features; the last of its 29 classes is background."""
    for file in AVE_FILES.values():
        if not (folder / file).exists():
            findings.add(file, f"is not in {folder}; AVE's features are three files")
    findings.raise_if_any()
    columns: dict[str, Column] = {}
    with ExitStack() as stack:
        for name, file in AVE_FILES.items():
            path = stack.enter_context(_regular(folder / file, findings))
            opened = stack.enter_context(open_h5(path, file, findings))
            found = list(h5_columns(opened, None, findings).values())
            if len(found) == 1:
                columns[name] = found[0]
            else:
                findings.add(file, f"holds {len(found)} arrays; needs one")
        findings.raise_if_any()
        return build_table(columns, PAIRED_MATRICES, limits, findings, background=True)


@contextmanager
def open_columns(
    path: Path, matrices: Mapping[str, str], limits: Limits, findings: Findings
) -> Iterator[Mapping[str, Column]]:
    """Open the columns with known names of a table's file; they can be read inside the block.

    Args:
        path: an npz, Parquet, HDF5 or MATLAB file, recognised by its content.
        matrices: names of the columns with features, and the letters of their values.
        limits: bounds on the size of the data.
        findings: collects columns that cannot be used or are not used.

    Raises:
        IntakeError: the file has another format, or is damaged.
    """
    with (
        _regular(path, findings) as opened,
        _columns_of(opened, path.name, matrices, limits, findings) as columns,
    ):
        yield columns


@contextmanager
def _columns_of(
    path: Path, name: str, matrices: Mapping[str, str], limits: Limits, findings: Findings
) -> Iterator[Mapping[str, Column]]:
    wanted = (*matrices, *OTHER_COLUMNS)
    match _format(path, findings):
        case "npz":
            with open_zip(path, findings) as opened:
                yield npz_columns(opened, wanted, findings)
        case "parquet":
            with open_parquet(path, name, findings) as parquet:
                yield parquet_columns(parquet, matrices, wanted, findings=findings, limits=limits)
        case "h5":
            with open_h5(path, name, findings) as h5:
                yield h5_columns(h5, wanted, findings)
        case "mat":
            yield mat_columns(path, wanted, limits, findings)
        case "npy":
            raise findings.refuse(
                "", "is a single array (npy); save features and labels in one file with np.savez"
            )
        case _:
            raise findings.refuse(
                "", "is no npz, Parquet, HDF5 or MATLAB file, by its first bytes; save it as one"
            )


@contextmanager
def _regular(path: Path, findings: Findings) -> Iterator[Path]:
    """Hold a file open and yield a path for its readers.

    Raises:
        IntakeError: it is no regular file, or cannot be opened.
    """
    with ExitStack() as stack:
        try:
            opened = stack.enter_context(regular_file(path))
        except OSError as error:
            raise findings.refuse(
                str(path), f"cannot be read: {error.strerror or error}"
            ) from error
        yield opened


def _format(path: Path, findings: Findings) -> str:
    try:
        with path.open("rb") as file:
            start = file.read(32)
    except OSError as error:
        raise findings.refuse(str(path), f"cannot be read: {error.strerror or error}") from error
    return next((name for first, name in _FIRST_BYTES.items() if start.startswith(first)), "")

"""The file of a table of any format, opened as columns."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from contract.dataset_files.columns import Column
from contract.dataset_files.hdf5 import h5_columns, open_h5
from contract.dataset_files.matfile import mat_columns
from contract.dataset_files.npz import npz_columns
from contract.dataset_files.parquet import open_parquet, parquet_columns
from contract.dataset_files.problems import Findings, Limits
from contract.dataset_files.table import OTHERS
from contract.dataset_files.zip_files import open_zip

_STARTS: Final = {
    b"PK": "npz",
    b"PAR1": "parquet",
    b"\x89HDF\r\n\x1a\n": "h5",
    b"MATLAB 7.3 MAT-file": "h5",
    b"MATLAB 5.0 MAT-file": "mat",
    b"\x93NUMPY": "npy",
}
"""First bytes of a file -> its format."""


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
    wanted = (*matrices, *OTHERS)
    match _format(path, findings):
        case "npz":
            with open_zip(path, findings) as opened:
                yield npz_columns(opened, wanted, findings)
        case "parquet":
            with open_parquet(path, findings) as parquet:
                yield parquet_columns(parquet, matrices, wanted, findings=findings, limits=limits)
        case "h5":
            with open_h5(path, findings) as h5:
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


def _format(path: Path, findings: Findings) -> str:
    try:
        with path.open("rb") as file:
            start = file.read(32)
    except OSError as error:
        raise findings.refuse(str(path), f"cannot be read: {error.strerror or error}") from error
    return next((name for first, name in _STARTS.items() if start.startswith(first)), "")

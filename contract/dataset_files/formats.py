"""What a file is by its content; and what to do with one of another kind."""

import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Final, Literal

from contract.dataset_files.csv_file import seems_csv
from contract.dataset_files.problems import Findings, IntakeError
from contract.dataset_files.zip_files import ZIP_ERRORS

Format = Literal[
    "npz", "parquet", "h5", "mat", "csv", "npy", "images", "zip", "torch", "xlsx", "pickle", "gzip",
    "jsonl", "feather", "image", "empty", "unknown",
]  # fmt: skip
TABLES: Final[tuple[Format, ...]] = ("npz", "parquet", "h5", "mat", "csv")
"""Formats that a table of features may have."""

TEXT_TABLES: Final[tuple[Format, ...]] = ("csv", "parquet", "jsonl")
"""Formats that a table of texts may have."""

_START_BYTES: Final = 2**16
_FIRST_BYTES: Final[dict[bytes, Format]] = {
    b"PAR1": "parquet",
    b"\x89HDF\r\n\x1a\n": "h5",
    b"MATLAB 7.3 MAT-file": "h5",
    b"MATLAB 5.0 MAT-file": "mat",
    b"\x93NUMPY": "npy",
    b"ARROW1": "feather",
    b"FEA1": "feather",
    b"\x1f\x8b": "gzip",
    b"\x80\x02": "pickle",
    b"\x80\x03": "pickle",
    b"\x80\x04": "pickle",
    b"\x80\x05": "pickle",
    b"\xd0\xcf\x11\xe0": "xlsx",
    b"\xff\xd8\xff": "image",
    b"\x89PNG": "image",
    b"GIF8": "image",
}
_IMAGE_ENDINGS: Final = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".jfif", ".jpe", ".gif", ".tif")
_MOST_MEMBERS: Final = 1000
"""Members of a zip that are looked at."""

_ADVICE: Final[dict[Format, str]] = {
    "npy": "is a single array (npy); save features and labels in one file with np.savez",
    "torch": "is a file of PyTorch, which holds a pickle and is never opened; save the arrays: "
    "np.savez('features.npz', features=x.numpy(), labels=y.numpy())",
    "pickle": "is a pickle, which is never opened; save the arrays with np.savez, or a data frame "
    "with df.to_parquet('features.parquet')",
    "xlsx": "is an Excel file; save it as 'CSV UTF-8' there, and upload that",
    "gzip": "is packed with gzip; unpack it (gunzip) and upload what is inside",
    "jsonl": "is JSON; texts in JSON lines are uploaded as 'text'; of features make Parquet: "
    "pandas.read_json('file', lines=True).to_parquet('features.parquet')",
    "feather": "is a Feather file; save it as Parquet: pandas.read_feather('file').to_parquet("
    "'features.parquet')",
    "image": "is a single image; images are a zip with a folder for each class, uploaded as "
    "'image_folder'",
    "zip": "is a zip of other files; unpack it and upload the table itself, as npz, Parquet, CSV, "
    "HDF5 or MATLAB file",
    "images": "is a zip of images; upload it as 'image_folder'",
    "empty": "is empty; save it again",
    "unknown": "is not an npz, Parquet, CSV, HDF5 or MATLAB file, by its first bytes; save it as "
    "one of them",
}


def format_of(path: Path) -> Format:
    """Return the format of a file, which its content shows.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        start = file.read(_START_BYTES)
    if not start:
        return "empty"
    if start.startswith(b"PK"):
        return _zip_format(path)
    known = next((name for first, name in _FIRST_BYTES.items() if start.startswith(first)), None)
    if known:
        return known
    if start.lstrip()[:1] in (b"{", b"["):
        return "jsonl"
    return "csv" if seems_csv(start) else "unknown"


def _zip_format(path: Path) -> Format:
    names = _member_names(path)
    if not names or any(name.endswith(".npy") for name in names):
        return "npz"
    if any(name.startswith("xl/") for name in names):
        return "xlsx"
    if any(name.rpartition("/")[2] == "data.pkl" for name in names):
        return "torch"
    images = sum(name.lower().endswith(_IMAGE_ENDINGS) for name in names)
    return "images" if images else "zip"


def refuse_no_table(found: Format, findings: Findings) -> IntakeError:
    """Return the error for a file that is no table of features."""
    other_kind = found in ("images", "jsonl")
    return findings.refuse("kind" if other_kind else "", _ADVICE[found])


def refuse_no_texts(found: Format, findings: Findings) -> IntakeError:
    """Return the error for a file that is no table of texts."""
    if found in TABLES:
        message = f"is an array file ({found}), which holds features; upload it as 'features'"
        return findings.refuse("kind", message)
    advice = "Texts are a CSV, Parquet or JSON lines file with the columns text and label"
    if found in ("unknown", "images", "image", "zip"):
        seen = {"unknown": "is none by its first bytes", "image": "is an image"}
        return findings.refuse("", f"{seen.get(found, 'is a zip')}. {advice}")
    return findings.refuse("", f"{_ADVICE[found]}. {advice}")


def refuse_no_images(path: Path) -> None:
    """Refuse a file that cannot be a zip of images; whether a zip holds images is seen later.

    Raises:
        IntakeError: it is another file.
    """
    found = format_of(path)
    findings = Findings()
    if found == "npz" and not _member_names(path):
        return  # a damaged zip, which the reader of images reports
    if found in TABLES:
        raise findings.refuse(
            "kind",
            f"is a table ({found}), no zip of images; upload it as 'features', or as "
            "'paired_features' if it holds two modalities",
        )
    if found in ("images", "zip", "empty", "unknown"):
        return
    raise findings.refuse("", f"{_ADVICE[found]}. Images are a zip with a folder for each class")


def _member_names(path: Path) -> list[str]:
    """Return the names of a zip's first members; none if it is damaged: its reader reports that."""
    with suppress(OSError, *ZIP_ERRORS), zipfile.ZipFile(path) as opened:
        return opened.namelist()[:_MOST_MEMBERS]
    return []

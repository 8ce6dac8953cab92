"""Tiny data sets as teams upload them: images in class folders, zips of them, and tables."""

import io
import stat
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from contract.dataset_files import IntakeError

Files = dict[str, bytes]


def image(seed: int, suffix: str = "jpg", size: int = 24) -> bytes:
    """Return the content of an image file, a different one for every seed."""
    pixels = np.random.default_rng(seed).integers(0, 256, (size, size, 3), dtype=np.uint8)
    out = io.BytesIO()
    kind = {"jpg": "JPEG", "png": "PNG", "bmp": "BMP", "webp": "WEBP"}[suffix]
    Image.fromarray(pixels).save(out, kind)
    return out.getvalue()


def image_files(classes: int = 3, each: int = 4) -> Files:
    """Return class folders c0, c1, ... with the JPEGs 0.jpg, 1.jpg, ..."""
    return {f"c{c}/{i}.jpg": image(100 * c + i) for c in range(classes) for i in range(each)}


def split_files(*folders: str, each: int = 2, classes: int = 2) -> dict[str, bytes]:
    """Return class folders in split folders, with images of different content."""
    return {
        f"{folder}/c{label}/{number}.jpg": image(1000 * place + 100 * label + number)
        for place, folder in enumerate(folders)
        for label in range(classes)
        for number in range(each)
    }


def write(folder: Path, files: Mapping[str, bytes]) -> Path:
    """Write files with these names and contents; return the folder."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def zipped(path: Path, files: Mapping[str, bytes], modes: Mapping[str, int] | None = None) -> Path:
    """Write a zip with these members; `modes` are the Unix file types of some."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            mode = (modes or {}).get(name, stat.S_IFREG)
            info.external_attr = (mode | 0o644) << 16
            archive.writestr(info, content)
    return path


def table(rows: int = 40, width: int = 5, classes: int = 4) -> dict[str, np.ndarray]:
    """Return features and labels, with no two equal rows."""
    rng = np.random.default_rng(5)
    return {
        "features": rng.normal(size=(rows, width)).astype(np.float32),
        "labels": np.arange(rows) % classes,
    }


def paired(rows: int = 40, classes: int = 4) -> dict[str, np.ndarray]:
    """Return audio features, visual features and labels."""
    rng = np.random.default_rng(6)
    return {
        "audio": rng.normal(size=(rows, 6)).astype(np.float32),
        "visual": rng.normal(size=(rows, 9)).astype(np.float32),
        "labels": np.arange(rows) % classes,
    }


def flat(columns: dict[str, Any]) -> dict[str, Any]:
    """Replace the column `features` by one column for each feature."""
    features = columns.pop("features")
    return {f"f{i}": features[:, i] for i in range(features.shape[1])} | columns


def npz(path: Path, columns: Mapping[str, Any]) -> Path:
    """Write a compressed npz file; objects are pickled, as numpy does by default."""
    np.savez_compressed(path, **columns)
    return path


def parquet(path: Path, columns: Mapping[str, Any]) -> Path:
    """Write a Parquet file; matrices become lists."""
    pq.write_table(
        pa.table(
            {
                name: list(values) if isinstance(values, np.ndarray) else values
                for name, values in columns.items()
            }
        ),
        path,
    )
    return path


def refusal(read: Callable[[], object], folder: Path) -> IntakeError:
    """Return the error of a reader, and assert that it left no file in a folder."""
    before = tree(folder)
    with pytest.raises(IntakeError) as caught:
        read()
    assert tree(folder) == before
    return caught.value


def tree(folder: Path) -> list[str]:
    """Return the paths of everything in a folder."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def found(error: IntakeError) -> dict[str, str]:
    """Return place -> message of all problems."""
    assert len(error.problems) == error.total
    return {problem.where: problem.message for problem in error.problems}

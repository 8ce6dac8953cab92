"""What the tests of uploads build on: files as teams send them, and what is left on disk."""

from pathlib import Path
from typing import Any

import httpx
import psutil

from backend.state import Parts
from tests.support.tiny_sets import image_files, npz, paired, table, zipped

URL = "/api/v1/datasets"
Json = dict[str, Any]


def images(folder: Path, classes: int = 3, each: int = 4) -> Path:
    return zipped(folder / "images.zip", image_files(classes, each))


def features(folder: Path, **columns: Any) -> Path:
    return npz(folder / "features.npz", {**table(), **columns})


def pairs(folder: Path) -> Path:
    return npz(folder / "pairs.npz", paired())


def post(client: httpx.Client, file: Path, kind: str, name: str = "ours") -> httpx.Response:
    with file.open("rb") as content:
        return client.post(URL, data={"kind": kind, "name": name}, files={"file": content})


def uploaded(client: httpx.Client, file: Path, kind: str, name: str = "ours") -> Json:
    """The answer to an upload that is taken."""
    answer = post(client, file, kind, name)
    assert answer.status_code == 201, answer.text
    body: Json = answer.json()
    return body


def left(parts: Parts) -> list[str]:
    """Everything below the folder of uploads."""
    root = parts.settings.data_dir / "uploads"
    return sorted(str(path.relative_to(root)) for path in root.rglob("*"))


def nothing_left(client: httpx.Client, parts: Parts) -> bool:
    """No file, no row, no process; and the API is well."""
    return (
        left(parts) == [".incoming"]
        and client.get(URL).json() == {"datasets": []}
        and not checks()
        and client.get("/api/v1/health/ready").status_code == 200
    )


def checks(of: int | None = None) -> list[psutil.Process]:
    """The checking processes that a process has started; by default this one."""
    return [
        child
        for child in psutil.Process(of).children()
        if "backend.datasets.check_process" in _command(child)
    ]


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []

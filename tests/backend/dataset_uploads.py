"""Files as teams upload them, and what is left on disk afterwards."""

from pathlib import Path
from typing import Any

import httpx
import psutil

from backend.state import Parts
from tests.support.tiny_sets import image_files, npz, paired, table, zipped

URL = "/api/v1/datasets"
Json = dict[str, Any]


def image_archive(folder: Path, classes: int = 3, each: int = 4) -> Path:
    return zipped(folder / "images.zip", image_files(classes, each))


def feature_table(folder: Path, **columns: Any) -> Path:
    return npz(folder / "features.npz", {**table(), **columns})


def paired_table(folder: Path) -> Path:
    return npz(folder / "pairs.npz", paired())


def post_file(
    client: httpx.Client, file: Path, kind: str, name: str = "ours", **answers: str
) -> httpx.Response:
    with file.open("rb") as content:
        form = {"kind": kind, "name": name, **answers}
        return client.post(URL, data=form, files={"file": content})


def upload(client: httpx.Client, file: Path, kind: str, name: str = "ours") -> Json:
    """Upload a file that is accepted and return the answer."""
    answer = post_file(client, file, kind, name)
    assert answer.status_code == 201, answer.text
    body: Json = answer.json()
    return body


def files_left(parts: Parts) -> list[str]:
    """Return everything below the folder of uploads."""
    root = parts.settings.data_dir / "uploads"
    return sorted(str(path.relative_to(root)) for path in root.rglob("*"))


def is_clean(client: httpx.Client, parts: Parts) -> bool:
    """Return whether no file, row or process is left, and the API is ready."""
    return (
        files_left(parts) == [".incoming"]
        and client.get(URL).json()["total"] == 0
        and not check_processes()
        and client.get("/api/v1/health/ready").status_code == 200
    )


def check_processes(of: int | None = None) -> list[psutil.Process]:
    """Return the checking processes that a process has started; by default this one."""
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

"""Uploads that are refused: the answer says why, nothing is left, and the API still works."""

import stat
import struct
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import numpy as np
import pytest

from backend.datasets.checker import CheckLimits
from backend.http.body_limits import SPEC
from backend.settings import Settings
from backend.state import Parts
from tests.backend.conftest import Serve
from tests.backend.dataset_uploads import (
    URL,
    check_processes,
    feature_table,
    image_archive,
    is_clean,
    paired_table,
    post_file,
    upload,
)
from tests.backend.helpers import check_error
from tests.support.tiny_sets import image_files, npz, table, zipped

Make = Callable[[Path], Path]


def _zip(**extra: bytes) -> Make:
    return lambda folder: zipped(folder / "a.zip", {**image_files(), **extra})


def _with(name: str, content: bytes) -> Make:
    return lambda folder: zipped(folder / "a.zip", {**image_files(), name: content})


def _link(folder: Path) -> Path:
    files = {**image_files(), "c0/link.jpg": b"/etc/passwd"}
    return zipped(folder / "a.zip", files, {"c0/link.jpg": stat.S_IFLNK})


def _bomb(folder: Path) -> Path:
    """Return an archive whose header claims that it unpacks to six gigabytes."""
    archive = zipped(folder / "a.zip", {**image_files(), "c0/x.bmp": b"", "c0/y.bmp": b""})
    content = bytearray(archive.read_bytes())
    for name in (b"c0/x.bmp", b"c0/y.bmp"):
        header = content.rfind(b"PK\x01\x02", 0, content.rfind(name))
        content[header + 24 : header + 28] = struct.pack("<I", 3 * 2**30)
    archive.write_bytes(content)
    return archive


def _huge_array(folder: Path) -> Path:
    """Return an array whose header claims a size of terabytes."""
    path = npz(folder / "a.npz", table())
    header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000, 1000), }"
    header = header.ljust(117) + b"\n"
    member = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header
    with zipfile.ZipFile(path) as old:
        labels = old.read("labels.npy")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("features.npy", member + bytes(400))
        archive.writestr("labels.npy", labels)
    return path


def _cut(make: Make, share: float) -> Make:
    def cut(folder: Path) -> Path:
        path = make(folder)
        content = path.read_bytes()
        path.write_bytes(content[: int(len(content) * share)])
        return path

    return cut


def _columns(**changed: object) -> Make:
    return lambda folder: npz(folder / "a.npz", {**table(), **changed})


def _nan() -> np.ndarray:
    features = table()["features"].copy()
    features[17, 3] = np.nan
    return features


CASES: dict[str, tuple[str, Make, str, str]] = {
    "a path upwards": ("image_folder", _with("../../evil.jpg", b"x"), "../../evil.jpg", ".."),
    "an absolute path": ("image_folder", _with("/etc/evil.jpg", b"x"), "/etc/evil.jpg", "absolute"),
    "a link": ("image_folder", _link, "c0/link.jpg", "link"),
    "a bomb": ("image_folder", _bomb, "", "unpacks to"),
    "no image": ("image_folder", _with("c1/text.jpg", b"hello"), "c1/text.jpg", "is not an image"),
    "nested": ("image_folder", _with("c1/deep/a.jpg", b"x"), "c1/deep", "folder in a class folder"),
    "one class": ("image_folder", lambda f: image_archive(f, 1), "", "two or more"),
    "a class of one": ("image_folder", lambda f: image_archive(f, 3, 1), "c0", "one image only"),
    "a truncated zip": ("image_folder", _cut(image_archive, 0.7), "", "not a complete zip"),
    "a table as images": ("image_folder", feature_table, "kind", "upload it as 'features'"),
    "not a zip": ("image_folder", _cut(image_archive, 0.0001), "", "not a complete zip"),
    "NaN": ("features", _columns(features=_nan()), "row 17, column f3", ""),
    "a label missing": ("features", _columns(labels=np.arange(39) % 4), "", "labels 39"),
    "no labels": ("features", lambda f: npz(f / "a.npz", {"features": _nan()}), "labels", ""),
    "a pickle": ("features", _columns(features=np.array([{}, "x"], dtype=object)), "features", ""),
    "terabytes": ("features", _huge_array, "features", ""),
    "truncated npz": ("features", _cut(feature_table, 0.5), "", "not a complete zip"),
    "images as a table": ("features", image_archive, "kind", "'image_folder'"),
    "a table of one modality": ("paired_features", feature_table, "kind", "'features'"),
}


@pytest.mark.slow
def test_each_is_refused_with_its_rows(client: httpx.Client, parts: Parts, tmp_path: Path) -> None:
    for name, (kind, make, where, says) in CASES.items():
        folder = tmp_path / name
        folder.mkdir()
        body = check_error(post_file(client, make(folder), kind), 422, "invalid_dataset")
        problems = {field["path"]: field["message"] for field in body["fields"]}
        assert where in problems, (name, body)
        assert says in problems[where], (name, body)
        assert f"{len(problems)} problem" in body["message"], (name, body)
        assert str(tmp_path) not in str(body), (name, body)  # nothing of the inside
        assert "uploads" not in str(body), (name, body)
        assert is_clean(client, parts), name
    assert upload(client, paired_table(tmp_path), "paired_features")["items"] == 40


def test_more_problems_than_are_listed_are_counted(client: httpx.Client, tmp_path: Path) -> None:
    columns = {"features": np.full((150, 5), np.nan), "labels": np.arange(150) % 4}
    answer = post_file(client, npz(tmp_path / "a.npz", columns), "features")
    body = check_error(answer, 422, "invalid_dataset")
    assert "150 problems in the data set, of which the first 100 are listed" in body["message"]
    assert len(body["fields"]) == 100


def test_an_invalid_form(client: httpx.Client, parts: Parts, tmp_path: Path) -> None:
    file = feature_table(tmp_path)
    content = file.read_bytes()
    form = {"name": "x", "kind": "features"}
    cases: list[tuple[httpx.Response, set[str]]] = [
        (post_file(client, file, "sounds"), {"kind"}),
        (post_file(client, file, "features", "  "), {"name"}),
        (post_file(client, file, "features", "x" * 5000), {"name"}),
        (client.post(URL, files={"file": b""}, data=form), {"file"}),
        (client.post(URL, files={"other": b""}, data=form), {"other", "file"}),
        (client.post(URL, files={"file": content}), {"name", "kind"}),
        (client.post(URL, files=[("file", content)] * 2, data=form), {"file"}),
        (client.post(URL, files=[(f"f{n}", b"") for n in range(20)], data=form), {"body"}),
        (client.post(URL, data=form), {"body"}),
        (client.post(URL, json=form), {"body"}),
        (_raw(client, b"no boundary at all"), {"body"}),
        (
            _raw(client, b'--xyz\r\nContent-Disposition: form-data; name="file"\r\n\r\nabc'),
            {"body"},
        ),
        (_raw(client, b"--xyz\r\n" + b"A" * 100_000), {"body"}),
    ]
    for number, (answer, paths) in enumerate(cases):
        body = check_error(answer, 422, "invalid_request")
        assert {field["path"] for field in body["fields"]} == paths, (number, body)
    assert is_clean(client, parts)


def _raw(client: httpx.Client, body: bytes) -> httpx.Response:
    headers = {"Content-Type": "multipart/form-data; boundary=xyz"}
    return client.post(URL, content=body, headers=headers)


def test_only_uploads_may_be_large_and_they_have_a_limit_too(
    serve: Serve, settings: Settings, tmp_path: Path
) -> None:
    with serve(replace(settings, max_upload_mb=4.0)) as (api, parts):
        large = tmp_path / "large"
        large.write_bytes(bytes(3_000_000))
        check_error(post_file(api.http, large, "features"), 422, "invalid_dataset")
        large.write_bytes(bytes(4_000_001))
        body = check_error(post_file(api.http, large, "features"), 413, "too_large")
        assert "4000000 bytes" in body["message"]
        headers = {"Content-Type": "multipart/form-data; boundary=xyz"}
        answer = api.http.post(URL, content=_endless(5_000_000), headers=headers)
        check_error(answer, 413, "too_large")
        for path in ("/api/v1/comparisons", f"{URL}/", f"{URL}/x"):
            answer = api.http.post(path, content=bytes(SPEC.size + 1), headers=headers)
            check_error(answer, 413, "too_large")
        assert is_clean(api.http, parts)


def _endless(size: int) -> Iterator[bytes]:
    yield b'--xyz\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n'
    for _ in range(0, size, 50_000):
        yield bytes(50_000)


@pytest.mark.parametrize(
    ("limits", "says"),
    [
        (CheckLimits(wall_s=0.05), "could not be checked within"),
        pytest.param(CheckLimits(cpu_s=0), "takes too long", marks=pytest.mark.slow),
        (CheckLimits(memory=500_000_000), "bytes of memory that a check may use"),
    ],
    ids=["time", "processor", "memory"],
)
def test_a_check_that_would_use_too_much(
    client: httpx.Client, parts: Parts, tmp_path: Path, limits: CheckLimits, says: str
) -> None:
    parts.checker.limits = limits
    values = np.random.default_rng(0).normal(size=(200_000, 200)).astype(np.float32)
    file = tmp_path / "large.npz"
    np.savez(file, features=values, labels=np.arange(200_000) % 7)
    body = check_error(post_file(client, file, "features"), 422, "invalid_dataset")
    assert says in body["fields"][0]["message"]
    assert not check_processes()
    assert is_clean(client, parts)

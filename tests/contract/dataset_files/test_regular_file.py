"""Only regular files are opened: pipes, devices, sockets and folders are refused and never read."""

import os
import socket
import stat
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from contract.dataset_files import IntakeError, read_features, read_paired, scan_images
from contract.dataset_files.feature_tables import AVE_FILES
from contract.dataset_files.regular_file import NotRegularError, open_regular, regular_file
from tests.support.tiny_sets import image, npz, table


def pipe(folder: Path) -> Path:
    os.mkfifo(folder / "pipe")
    return folder / "pipe"


def link_to_pipe(folder: Path) -> Path:
    (folder / "link").symlink_to(pipe(folder))
    return folder / "link"


def listening_socket(folder: Path) -> Path:
    with socket.socket(socket.AF_UNIX) as own:
        own.bind(os.path.relpath(folder / "socket"))  # its name may have 100 characters only
    return folder / "socket"


KINDS = [
    (pipe, "a named pipe"),
    (link_to_pipe, "a named pipe"),
    (lambda _: Path("/dev/zero"), "a device"),
    (listening_socket, "a socket"),
    (lambda folder: folder, "a folder"),
]


@pytest.mark.parametrize(("make", "kind"), KINDS)
def test_anything_else_is_refused_by_its_kind(
    make: Callable[[Path], Path], kind: str, tmp_path: Path
) -> None:
    path = make(tmp_path)
    words = f"it is {kind}, and only regular files are read"
    with pytest.raises(NotRegularError, match=words):
        open_regular(path)
    with pytest.raises(IntakeError, match=words):
        read_features(path)


def test_a_pipe_that_takes_the_place_of_a_file_after_the_first_look_is_refused_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, file = pipe(tmp_path), tmp_path / "file"
    file.write_bytes(b"x")
    seen = file.stat()
    monkeypatch.setattr(Path, "stat", lambda self: seen)
    with pytest.raises(NotRegularError, match="a named pipe"):
        open_regular(path)


def test_a_held_file_is_read_whatever_takes_its_place(tmp_path: Path) -> None:
    path = npz(tmp_path / "a.npz", table())
    before = path.read_bytes()
    with regular_file(path) as held:
        path.unlink()
        os.mkfifo(path)
        assert held.read_bytes() == before
    assert stat.S_ISFIFO(path.stat().st_mode)


def test_a_problem_names_the_file_as_it_was_given(tmp_path: Path) -> None:
    path = tmp_path / "mine.h5"
    path.write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(100))
    with pytest.raises(IntakeError, match=r"mine\.h5: is not a complete HDF5 file") as caught:
        read_features(path)
    assert "/proc" not in str(caught.value)


def test_a_pipe_in_the_folder_of_ave_is_refused(tmp_path: Path) -> None:
    for file in AVE_FILES.values():
        os.mkfifo(tmp_path / file)
    with pytest.raises(IntakeError, match="a named pipe"):
        read_paired(tmp_path)


def test_a_pipe_among_images_is_refused(tmp_path: Path) -> None:
    for label in range(2):
        (tmp_path / str(label)).mkdir()
        for at in range(2):
            (tmp_path / str(label) / f"{at}.png").write_bytes(image(2 * label + at, "png"))
    assert np.array_equal(scan_images(tmp_path).labels, [0, 0, 1, 1])
    os.mkfifo(tmp_path / "0" / "2.png")
    (tmp_path / "1" / "3.png").symlink_to("nowhere")
    with pytest.raises(IntakeError) as caught:
        scan_images(tmp_path)
    assert {one.where: one.message for one in caught.value.problems} == {
        "0/2.png": "is a named pipe, no regular file; remove it",
        "1/3.png": "is a link to nothing, no regular file; remove it",
    }

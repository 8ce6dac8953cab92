"""The data folder is its owner's only: new, existing, and of another user."""

import logging
import os
import stat
from pathlib import Path

import pytest

from backend.errors import SettingsError
from backend.storage.private_folder import make_private


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def test_a_new_folder_is_made_for_its_owner_only(tmp_path: Path) -> None:
    make_private(tmp_path / "new" / "data")
    assert _mode(tmp_path / "new" / "data") == 0o700


def test_an_existing_folder_is_tightened_with_all_it_holds(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.touch()
    outside.chmod(0o644)
    data = tmp_path / "data"
    (data / "blobs" / "ab").mkdir(parents=True)
    (data / "lossboard.sqlite").touch()
    (data / "blobs" / "ab" / "cd").touch()
    (data / "link").symlink_to(outside)
    for path, mode in {
        data: 0o755,
        data / "blobs": 0o775,
        data / "blobs" / "ab": 0o777,
        data / "lossboard.sqlite": 0o644,
        data / "blobs" / "ab" / "cd": 0o664,
    }.items():
        path.chmod(mode)
    make_private(data)
    assert {str(path.relative_to(data)): _mode(path) for path in data.rglob("*")} == {
        "blobs": 0o700,
        "blobs/ab": 0o700,
        "blobs/ab/cd": 0o600,
        "lossboard.sqlite": 0o600,
        "link": 0o777,
    }
    assert _mode(data) == 0o700
    assert _mode(outside) == 0o644, "links are not followed"


def test_a_folder_of_another_user_is_refused_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: tmp_path.stat().st_uid + 12_345)
    with pytest.raises(
        SettingsError, match=r"belongs to user \S+, not to user \d+; start"
    ) as caught:
        make_private(tmp_path)
    assert str(tmp_path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SettingsError, match="cannot be made"):
        make_private(tmp_path / "file" / "data")


def test_permissions_that_cannot_be_changed_are_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "file").chmod(0o644)
    tmp_path.chmod(0o755)

    def refuse(*_args: object, **_options: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "chmod", refuse)
    with caplog.at_level(logging.WARNING):
        make_private(tmp_path)
    assert "permissions of 2 files" in caplog.text

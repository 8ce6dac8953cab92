"""The data folder: its lock and its secret."""

import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from launcher.console import FolderError
from launcher.machine import held, worker_token

HOLD = """
import sys, time
from pathlib import Path
from launcher.machine import held
with held(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(100)
"""


def test_a_second_launcher_is_told_who_holds_the_folder_until_that_one_is_gone(
    tmp_path: Path,
) -> None:
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    root = Path(__file__).resolve().parents[2]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=root) as first:
        assert first.stdout
        assert first.stdout.readline() == b"held\n"
        with pytest.raises(FolderError, match=rf"pid {first.pid}.*--data-dir"), held(tmp_path):
            pass
        first.send_signal(signal.SIGKILL)
    with held(tmp_path):
        pass


def test_the_folder_is_made_and_a_file_in_its_place_is_named(tmp_path: Path) -> None:
    with held(tmp_path / "new" / "data"):
        assert (tmp_path / "new" / "data").is_dir()
    (tmp_path / "file").touch()
    with pytest.raises(FolderError, match="file"), held(tmp_path / "file"):
        pass


def test_the_token_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    token = worker_token(tmp_path, {})
    assert len(token) >= 40
    assert worker_token(tmp_path, {}) == token
    assert stat.S_IMODE((tmp_path / "worker-token").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["worker-token"]


def test_a_given_token_is_used_and_not_stored(tmp_path: Path) -> None:
    assert worker_token(tmp_path, {"LOSSBOARD_WORKER_TOKEN": "mine"}) == "mine"
    assert list(tmp_path.iterdir()) == []

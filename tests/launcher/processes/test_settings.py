"""Wrong and unknown settings of all processes are found before any of them starts."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from contract.settings import PREFIX
from launcher.options import Options
from launcher.processes.plan import ROOT
from launcher.processes.settings import setting_problems
from tests.support.ports import free_ports

CLEAN = {k: v for k, v in os.environ.items() if not k.startswith((PREFIX, "REDIS_"))}
WRONG = {
    f"{PREFIX}LEASES": "3",
    "LOSSBOARD_LEASE_S": "soon",
    "LOSSBOARD_KEEP_RAW_DAYS": "0",
    "LOSSBOARD_TOKENS": "Ada:queen:x",
    "LOSSBOARD_TORCH_THREADS": "0",
    "LOSSBOARD_CACHE_GB": "-1",
    "LOSSBOARD_API_URL": "board.lan",
    "REDIS_URL": "http://:a-secret@board.lan",
}
"""A wrong value for each of the processes, two of them for the API and the workers alike."""


def test_nothing_is_wrong_with_an_empty_environment(tmp_path: Path) -> None:
    assert setting_problems(Options(data_dir=tmp_path / "data"), CLEAN) == []
    assert not (tmp_path / "data").exists()


def test_all_problems_of_all_processes_are_found_once(tmp_path: Path) -> None:
    lines = setting_problems(Options(data_dir=tmp_path), CLEAN | WRONG)
    assert [name for name in WRONG if not any(name in line for line in lines)] == []
    assert len(lines) == len(set(lines))
    assert f"{PREFIX}LEASES is not a setting; did you mean LOSSBOARD_LEASE_S?" in lines
    assert "a-secret" not in str(lines)


@pytest.mark.parametrize(
    "command",
    [
        ("uvicorn", "backend.app:create_app", "--factory"),
        *(
            pytest.param(command, marks=pytest.mark.slow)
            for command in (
                ("celery", "-A", "worker.celery_app", "worker"),
                ("worker.projection",),
            )
        ),
    ],
    ids=lambda command: command[0],
)
def test_a_process_that_is_started_by_hand_names_them_too(command: tuple[str, ...]) -> None:
    environment = CLEAN | {f"{PREFIX}LEASES": "3", "PYTHONPATH": str(ROOT)}
    ended = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode
    said = ended.stdout + ended.stderr
    assert "Traceback" not in said
    assert f"{PREFIX}LEASES is not a setting" in said
    assert "LOSSBOARD_WORKER_TOKEN is not set" in said


@pytest.mark.parametrize("command", ["up", "check"])
def test_up_and_check_print_plain_lines_and_start_nothing(tmp_path: Path, command: str) -> None:
    api, ui = map(str, free_ports(2))
    words = [sys.executable, "-m", "launcher", command, "--data-dir", str(tmp_path / "data")]
    words += ["--api-port", api, "--ui-port", ui]
    ended = subprocess.run(
        words, cwd=ROOT, env=CLEAN | WRONG, capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 1
    said = ended.stdout + ended.stderr
    assert "Traceback" not in said
    for name in WRONG:
        assert name in said
    assert not (tmp_path / "data").exists()

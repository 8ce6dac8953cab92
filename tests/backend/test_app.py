"""The API as a process: it refuses to start half-configured, and stops at once when asked."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from backend.errors import SettingsError
from backend.settings import Settings
from tests.support.ports import free_ports
from tests.support.stack import ROOT
from tests.support.waiting import PATIENCE, until


def test_settings_and_their_defaults(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="LOSSBOARD_WORKER_TOKEN"):
        Settings.from_environ({})
    plain = Settings.from_environ({"LOSSBOARD_WORKER_TOKEN": "t"})
    assert plain.lease_s == 10
    assert plain.database_url == f"sqlite:///{Path('data').absolute()}/lossboard.sqlite"
    for lease in ("x", "0", "inf", "nan"):
        with pytest.raises(SettingsError, match="LOSSBOARD_LEASE_S"):
            Settings.from_environ({"LOSSBOARD_WORKER_TOKEN": "t", "LOSSBOARD_LEASE_S": lease})
    assert plain.max_upload == 2_048_000_000
    for most in ("x", "0", "nan"):
        with pytest.raises(SettingsError, match="LOSSBOARD_MAX_UPLOAD_MB"):
            Settings.from_environ({"LOSSBOARD_WORKER_TOKEN": "t", "LOSSBOARD_MAX_UPLOAD_MB": most})
    assert (plain.keep_raw_days, plain.keep_snapshot_days) == (None, None)
    for name in ("LOSSBOARD_KEEP_RAW_DAYS", "LOSSBOARD_KEEP_SNAPSHOT_DAYS"):
        for days in ("x", "0", "-1", "nan"):
            with pytest.raises(SettingsError, match=name):
                Settings.from_environ({"LOSSBOARD_WORKER_TOKEN": "t", name: days})
        assert Settings.from_environ({"LOSSBOARD_WORKER_TOKEN": "t", name: ""}) == plain
    own = Settings.from_environ(
        {
            "LOSSBOARD_WORKER_TOKEN": "t",
            "LOSSBOARD_DATA_DIR": str(tmp_path),
            "LOSSBOARD_DATABASE_URL": "postgresql+psycopg://db/l",
            "REDIS_URL": "redis://broker/1",
            "LOSSBOARD_LEASE_S": "2.5",
            "LOSSBOARD_MAX_UPLOAD_MB": "1.5",
            "LOSSBOARD_KEEP_RAW_DAYS": "90",
            "LOSSBOARD_KEEP_SNAPSHOT_DAYS": "30.5",
        }
    )
    url = "postgresql+psycopg://db/l"
    assert own == Settings(
        tmp_path,
        url,
        "redis://broker/1",
        "t",
        2.5,
        1.5,
        keep_raw_days=90.0,
        keep_snapshot_days=30.5,
    )


def test_torch_is_never_imported() -> None:
    code = (
        "import backend.app, sys; sys.exit('torch' in sys.modules or 'scipy.stats' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_sigterm_with_an_open_viewer(tmp_path: Path, broker_url: str) -> None:
    [port] = free_ports(1)
    command = [sys.executable, "-m", "uvicorn", "backend.app:create_app", "--factory"]
    command += ["--port", str(port), "--timeout-graceful-shutdown", "3", "--log-level", "warning"]
    own = {"LOSSBOARD_DATA_DIR": str(tmp_path / "data"), "REDIS_URL": broker_url}
    log = tmp_path / "log"
    with log.open("wb") as sink:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, **own, "LOSSBOARD_WORKER_TOKEN": "t"},
            stdout=sink,
            stderr=subprocess.STDOUT,
        )
    try:
        url = f"http://127.0.0.1:{port}/api/v1"
        until(lambda: _answers(url), "the API", timeout=30)
        spec = {
            "name": "x",
            "data": {"kind": "digits"},
            "encoder": {"kind": "mlp"},
            "arms": [{"name": "t", "loss": {"kind": "triplet"}}],
            "seeds": [0],
        }
        comparison = httpx.post(f"{url}/comparisons", json=spec).json()["id"]
        with httpx.stream("GET", f"{url}/comparisons/{comparison}/live", timeout=60) as viewer:
            lines = viewer.iter_lines()
            assert next(lines) == "event: reset"
            began = time.monotonic()
            process.send_signal(signal.SIGTERM)
            list(lines)  # the stream ends properly, it is not torn
            process.wait(timeout=60)
        assert time.monotonic() - began < 3 * PATIENCE
    finally:
        process.kill()
        process.wait()
    assert process.returncode in {0, -signal.SIGTERM}
    assert "Traceback" not in log.read_text()


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health/live").status_code == 200
    except httpx.TransportError:
        return False

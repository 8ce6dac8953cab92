"""The API as a process: it refuses to start half-configured, and stops at once when asked."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx

from tests.support.ports import free_ports
from tests.support.stack import ROOT
from tests.support.waiting import PATIENCE, until


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

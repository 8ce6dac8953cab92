"""A backup in the middle of a training, restored into a fresh folder, where the run goes on."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.support.specs import long
from tests.support.stack import ROOT, running_stack
from tests.support.waiting import until

KEY: Final = "dynamics.loss"
SPEC: Final = long(
    training={"epochs": 60, "batch_size": 64},
    measure={"evaluate_every": 20, "snapshot_every": 20, "snapshot_size": 100},
    arms=[{"name": "one", "loss": {"kind": "contrastive"}}],
)


def launcher(*words: str) -> subprocess.CompletedProcess[str]:
    """Run a command as its user types it."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("LOSSBOARD_", "REDIS_"))}
    command = [sys.executable, "-m", "launcher", *words]
    return subprocess.run(
        command, cwd=ROOT, env=clean, capture_output=True, text=True, timeout=120, check=False
    )


@pytest.mark.slow
@pytest.mark.timeout(600)  # two products start, one after the other
def test_a_run_of_the_backup_finishes_without_a_gap(tmp_path: Path) -> None:
    data, fresh, file = tmp_path / "data", tmp_path / "fresh", tmp_path / "b.tar"
    flags = ("--no-demo", "--workers", "1")
    with running_stack(data, *flags, LOSSBOARD_CHECKPOINT_S="0.3") as stack:
        comparison = stack.submit(SPEC)
        until(stack.checkpoints, "a checkpoint")
        stack.wait_steps(comparison, 200)
        for trainer in stack.processes("trainer"):
            trainer.suspend()  # or on a fast machine it is over before the command has begun
        saved = launcher("backup", str(file), "--data-dir", str(data))
        assert saved.returncode == 0, saved.stderr
        for trainer in stack.processes("trainer"):
            trainer.resume()
        [run] = stack.runs(comparison)
        busy = launcher("restore", str(file), "--force", "--data-dir", str(data))
        assert (busy.returncode, busy.stdout) == (1, "")
        assert "an API uses the data folder" in busy.stderr
    restored = launcher("restore", str(file), "--data-dir", str(fresh))
    assert restored.returncode == 0, restored.stderr
    assert "1 runs wait for a worker" in restored.stderr
    with running_stack(fresh, *flags) as stack:
        [ended] = stack.wait_ended(comparison, timeout=300)
        assert (ended["state"], ended["attempt"]) == ("succeeded", 101), ended
        assert ended["resumed_at"] > 0
        steps, values = stack.series(run["id"], KEY)
        assert steps == list(range(ended["total_steps"] + 1))
        assert None not in values
        [snapshots] = stack.get(f"/comparisons/{comparison}/space")["runs"]
        assert snapshots["epochs"] == [0, 20, 40, 60]

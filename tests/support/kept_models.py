"""Runs in this process that keep their trained models, and the scripts that load these."""

import hashlib
import io
import json
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from backend.artifacts.blobs import read_description
from backend.artifacts.script import script
from contract.artifacts import ArtifactKind, Keep
from contract.events import Artifact
from tests.support.specs import small
from worker.api.client import Claim
from worker.reporting.reporter import ListReporter
from worker.snapshots import SnapshotKeeper
from worker.trainer.attempt import run_attempt

CPU = torch.device("cpu")
KEEP = Keep(weights="best", limit_bytes=10**9)
# Nothing of ours can be imported where it runs: the folder of the sources is not on the path.
RUN_SCRIPTS = """
import json, runpy, sys
for package in ("backend", "worker", "contract"):
    try:
        __import__(package)
    except ModuleNotFoundError:
        continue
    sys.exit(f"{package} can be imported here")
for script, *arguments in json.loads(sys.argv[1]):
    sys.argv = [script, *arguments]
    runpy.run_path(script, run_name="__main__")
"""


@dataclass
class MemoryStore:
    """A blob store in memory."""

    blobs: dict[str, bytes] = field(default_factory=dict)

    def put(self, content: bytes, cancelled: Callable[[], bool]) -> str:
        digest = hashlib.sha256(content).hexdigest()
        self.blobs[digest] = content
        return digest


@dataclass
class KeptRun:
    """A run that has succeeded, and what it kept."""

    reporter: ListReporter
    store: MemoryStore

    @property
    def parts(self) -> dict[ArtifactKind, Artifact]:
        return {one.kind: one for one in self.reporter.artifacts}

    def content(self, kind: ArtifactKind) -> bytes:
        return self.store.blobs[str(self.parts[kind].digest)]

    @property
    def embeddings(self) -> Mapping[str, NDArray[Any]]:
        return dict(np.load(io.BytesIO(self.content("embeddings"))))

    def unpack(self, folder: Path) -> Path:
        """Write the weights, their description and the script into a folder."""
        folder.mkdir(parents=True)
        weights = folder / "model.safetensors"
        weights.write_bytes(self.content("weights"))
        description = read_description(weights)
        (folder / "model.json").write_text(json.dumps(description))
        (folder / "embed.py").write_text(script(description))
        return folder


def kept_run(keep: Keep | None = KEEP, store: MemoryStore | None = None, **changes: Any) -> KeptRun:
    """Train one run of a small spec to its end."""
    raw = small(**{"training": {"epochs": 2, "batch_size": 64}, **changes})
    arm, seed = raw["arms"][0]["name"], raw["seeds"][0]
    ids = {"run": "r", "attempt": 1, "lease_s": 10, "comparison": "c"}
    claim = Claim(**ids, arm=arm, seed=seed, spec=raw, keep=keep)
    reporter, store = ListReporter(), store or MemoryStore()
    keeper = SnapshotKeeper(store, reporter, keeps=claim.keep)
    run_attempt(claim, reporter, lambda: False, CPU, keeper)
    assert reporter.state == "succeeded", reporter.failure
    return KeptRun(reporter, store)


def run_scripts(calls: Sequence[Sequence[str]]) -> None:
    """Run scripts one after another in one process that cannot import Lossboard.

    Args:
        calls: the path of each script, and its arguments.
    """
    ended = subprocess.run(
        [sys.executable, "-I", "-W", "error", "-c", RUN_SCRIPTS, json.dumps(calls)],
        cwd=Path(sys.executable).parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr + ended.stdout

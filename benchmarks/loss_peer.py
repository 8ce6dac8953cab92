"""sentence-transformers' loss in a process of the peers' environment."""

import json
import subprocess
from pathlib import Path
from typing import Any, Self

import torch
from torch import Tensor

from benchmarks.peers.environment import MISSING, PYTHON, ROOT, surroundings

NAME = "sentence-transformers"


class LossPeer:
    """A process that measures the peer's loss when asked.

    Args:
        folder: where it may write.
        python: of the peers' environment.
    """

    def __init__(self, folder: Path, python: Path = PYTHON) -> None:
        self._folder, self._python = folder, python
        self.version = ""
        self.missing = MISSING
        """Why it cannot be asked; empty where it can."""
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        """Start it, where it is installed."""
        if not self._python.exists():
            return self
        self._process = subprocess.Popen(
            [str(self._python), "-m", "benchmarks.peers.with_sentence_transformers"],
            cwd=ROOT,
            env=surroundings(self._folder),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        if answer := self._read():
            self.version, self.missing = answer["version"], ""
        else:
            self.missing = "its process ended"
        return self

    def __exit__(self, *_: object) -> None:
        """End it."""
        if self._process:
            self._process.communicate()

    def took(self, batch: int, items: int, repeats: int) -> list[float]:
        """Milliseconds of CPU of each repeat, forward and backward."""
        return self._ask(batch, items, repeats, "")

    def gradient(self, batch: int, items: int) -> Tensor:
        """The gradient of the mean over the active triplets."""
        path = self._folder / "gradient.pt"
        self._ask(batch, items, 1, str(path))
        found: Tensor = torch.load(path)
        return found

    def _ask(self, batch: int, items: int, repeats: int, path: str) -> list[float]:
        assert self._process
        assert self._process.stdin
        asked = {"batch": batch, "items": items, "repeats": repeats, "gradient": path}
        self._process.stdin.write(f"{json.dumps(asked)}\n")
        self._process.stdin.flush()
        answer: list[float] | None = self._read()
        if answer is None:
            raise RuntimeError(f"{NAME}: its process ended")
        return answer

    def _read(self) -> Any:
        assert self._process
        assert self._process.stdout
        line = self._process.stdout.readline()
        return json.loads(line) if line else None

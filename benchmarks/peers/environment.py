"""The environment that the peers live in, and how one of their scripts is asked.

A peer that is not installed, ends badly or takes too long is an answer too: it holds the reason,
which the table then shows.
"""

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any, Final, NamedTuple

ROOT: Final = Path(__file__).parents[2]
PYTHON: Final = ROOT / ".venv-peers" / "bin" / "python"
MISSING: Final = "not installed, `make bench` does that"
QUIET: Final = {
    "DO_NOT_TRACK": "true",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "GRADIO_ANALYTICS_ENABLED": "False",
    "HF_HUB_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
}
"""Settings that keep the peers from sending usage data."""
ONE_THREAD: Final = {
    f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL", "NUMEXPR")
}


class Answer(NamedTuple):
    """The answer of a peer's script."""

    version: str
    """Empty where the script did not get that far."""
    seconds: Mapping[str, float]
    """Of each call that worked."""
    failed: Mapping[str, str]
    """Of each that did not: why."""


def version(package: str) -> str | None:
    """What of a package is installed for the peers; None where nothing is."""
    paths = [str(path) for path in PYTHON.parents[1].glob("lib/python3*/site-packages")]
    found = [one.version for one in metadata.distributions(name=package, path=paths)]
    return found[0] if found else None


def surroundings(folder: Path) -> dict[str, str]:
    """Environment variables of a peer's process: its home is the folder, and it is quiet."""
    home = {"HOME": str(folder), "TRACKIO_DIR": str(folder / "trackio"), "TMPDIR": str(folder)}
    return {"PATH": os.environ.get("PATH", ""), **home, **QUIET, **ONE_THREAD}


def ask(
    script: str,
    folder: Path,
    calls: Sequence[tuple[str, int]],
    *,
    python: Path = PYTHON,
    timeout: float = 600,
) -> Answer:
    """Run the calls (name, points) of benchmarks/peers/<script>.py in a process of their own."""
    asked = json.dumps({"folder": str(folder), "calls": calls})
    try:
        done = subprocess.run(
            [str(python), "-m", f"benchmarks.peers.{script}", asked],
            cwd=ROOT,
            env=surroundings(folder),
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
    except FileNotFoundError:
        return _none(calls, MISSING)
    except subprocess.TimeoutExpired:
        return _none(calls, f"not done in {timeout:g} s")
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or [f"exit code {done.returncode}"]
        return _none(calls, last[0][:200])
    try:
        return parsed(done.stdout)
    except ValueError as error:
        return _none(calls, str(error))


def parsed(printed: str) -> Answer:
    """The answer in a script's last line, whatever its libraries printed before.

    Raises:
        ValueError: the last line is no answer.
    """
    last = (printed.strip().splitlines() or [""])[-1]
    try:
        found: dict[str, Any] = json.loads(last)
        return Answer(found["version"], found["seconds"], found["failed"])
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"its last line is no answer: {last[:100]!r}") from error


def _none(calls: Sequence[tuple[str, int]], reason: str) -> Answer:
    return Answer("", {}, {name: reason for name, _ in calls})

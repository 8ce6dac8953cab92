"""Every benchmark, one after another, with a summary: `python -m benchmarks`.

Goes on where one misses a goal or fails, and exits with 1 if any did. Names run only those:
`python -m benchmarks losses store`.
"""

import argparse
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).parent
OTHERS = {"__main__", "findings", "flips", "quick", "structure"}
"""Scripts that measure no speed, or that are the guard: not part of a full run."""
START = re.compile(r'^if __name__ == "__main__":', re.MULTILINE)


class Outcome(NamedTuple):
    """How a benchmark ended."""

    name: str
    code: int
    missed: list[str]
    """The goals, as it named them."""
    minutes: float

    @property
    def good(self) -> bool:
        """Whether it ran through and met every goal."""
        return self.code == 0 and not self.missed

    @property
    def verdict(self) -> str:
        """One line, then one for each goal that is missed."""
        # A script that misses a goal may exit with 1, and then has named the goal.
        failed = self.code != 0 and not (self.code == 1 and self.missed)
        state = (
            f"FAILED, exit code {self.code}"
            if failed
            else f"{len(self.missed)} goals missed"
            if self.missed
            else "ok"
        )
        first = f"{self.name:<16}{self.minutes:>6.1f} min  {state}"
        return "\n".join([first, *(f"    {line}" for line in self.missed)])


def main() -> int:
    """Run and sum up."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("names", nargs="*", metavar="name", help=", ".join(scripts()))
    names: list[str] = parser.parse_args().names or scripts()
    if unknown := set(names) - set(scripts()):
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}")
    outcomes = [run([sys.executable, "-m", f"benchmarks.{name}"], name) for name in names]
    print("\nSummary")
    print("\n".join(outcome.verdict for outcome in outcomes))
    return int(not all(outcome.good for outcome in outcomes))


def scripts() -> list[str]:
    """Names of the benchmarks that a full run starts."""
    startable = {path.stem for path in FOLDER.glob("*.py") if START.search(path.read_text())}
    return sorted(startable - OTHERS)


def run(command: list[str], name: str) -> Outcome:
    """Start one, pass on what it prints, and keep the goals that it says are missed."""
    print(f"\n{name}", flush=True)
    began, missed = time.monotonic(), []
    with subprocess.Popen(
        command,
        cwd=FOLDER.parent,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        for line in process.stdout or ():
            print(line, end="", flush=True)
            if line.startswith("MISSED"):
                missed.append(line.strip())
    return Outcome(name, process.returncode, missed, (time.monotonic() - began) / 60)


if __name__ == "__main__":
    sys.exit(main())

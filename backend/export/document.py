"""A comparison with everything that was found out, as one JSON document."""

import platform
import tomllib
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel
from sqlmodel import Session

from backend.db.models import Comparison
from backend.runs import repository as runs
from backend.runs.schemas import ComparisonDetail, RunOut, iso, run_out
from backend.verdict.schemas import Verdict
from backend.verdict.service import give_verdict
from backend.verdict.summary import Summary, summarise

FORMAT: Final = "lossboard-comparison-1"
"""Changes when a reader of the document has to."""

PROJECT: Final = Path(__file__).resolve().parents[2] / "pyproject.toml"
"""Part of every installation: dependencies are installed by it."""


class Whole(BaseModel):
    """The document. Its `spec` is what POST /comparisons takes."""

    format: str
    made_at: str
    versions: dict[str, str]
    """Of Lossboard, of Python, and of what the API computes summary and verdict with."""
    comparison: ComparisonDetail
    spec: dict[str, Any]
    runs: list[RunOut]
    summary: Summary
    verdict: Verdict


def whole(session: Session, comparison: Comparison, detail: ComparisonDetail, now: float) -> Whole:
    """Everything but the curves.

    Args:
        session: one view for all parts.
        comparison: what is exported.
        detail: the same, as the API shows it.
        now: seconds since the epoch.
    """
    return Whole(
        format=FORMAT,
        made_at=iso(now),
        versions=versions(),
        comparison=detail,
        spec=comparison.spec,
        runs=[run_out(run, now) for run in runs.of(session, comparison.id)],
        summary=summarise(session, comparison),
        verdict=give_verdict(session, comparison),
    )


@cache
def versions() -> dict[str, str]:
    """What this process is made of, as far as its numbers depend on it."""
    project = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]
    packages = {name: version(name) for name in ("numpy", "scipy", "pydantic")}
    return {"lossboard": project["version"], "python": platform.python_version(), **packages}

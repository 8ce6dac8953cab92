"""How many runs a tuned comparison may have."""

from typing import Annotated

from backend.http.dependencies import from_state
from contract.comparison.problems import SpecError
from contract.comparison.spec import ComparisonSpec
from contract.tuning.problems import most_trials_problem

MostRuns = Annotated[int, from_state("most_trials")]
"""Runs that one tuned comparison may have, those of its trials and the final ones."""


def check_runs(spec: ComparisonSpec, most: int, path: str) -> None:
    """Check that a comparison that is tuned has no more than so many runs.

    Args:
        spec: of the comparison.
        most: the limit.
        path: of the field that asked for them.

    Raises:
        SpecError: it has more; its text has the sum.
    """
    if problem := most_trials_problem(spec, most):
        raise SpecError([problem._replace(path=path)])

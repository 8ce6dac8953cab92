"""A comparison's spec as it was stored, read again."""

from pydantic import ValidationError

from backend.db.models import Comparison
from backend.errors import ConflictError
from contract.comparison.problems import from_validation
from contract.comparison.spec import ComparisonSpec


def stored_spec(comparison: Comparison) -> ComparisonSpec:
    """What was submitted.

    Raises:
        ConflictError: this version does not take it any more; names every problem.
    """
    try:
        return ComparisonSpec.model_validate(comparison.spec)
    except ValidationError as error:
        raise ConflictError(
            "this comparison was made by another version of Lossboard: its spec cannot be read "
            "any more, its curves and runs can",
            from_validation(error),
        ) from None

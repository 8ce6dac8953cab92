"""How many examples a property is tried on."""

from hypothesis import settings


def at_most(count: int) -> int:
    """Return the number of examples: `count` in `make test-all`, few in `make test`.

    The profile that tests/conftest.py has loaded sets the limit.
    """
    return min(count, settings().max_examples)

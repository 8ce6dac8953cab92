"""Losses from outside. `loss` marks a class as one, and `Terms` says what its tuples lose.

docs/PLUGINS.md describes both, with an example.
"""

from worker.plugins.declare import loss
from worker.plugins.terms import Terms

__all__ = ["Terms", "loss"]

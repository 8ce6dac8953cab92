"""All seeds of an arm in one batched computation, where a step is too small to fill a machine."""

from worker.batched.seed_steps import Together, covers

__all__ = ["Together", "covers"]

"""All seeds of an arm in one batched computation, for steps too small to keep a machine busy."""

from worker.batched.seed_steps import BatchedSeeds, can_batch

__all__ = ["BatchedSeeds", "can_batch"]

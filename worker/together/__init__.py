"""Many small runs as one computation: the steps of up to some dozens of runs at once."""

from worker.together.stack import Numbers, Stack, StackMember

__all__ = ["Numbers", "Stack", "StackMember"]

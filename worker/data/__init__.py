"""What is trained on: `load(spec)` gives a data set in three splits."""

from worker.data.dataset import Dataset, Split
from worker.data.registry import load

__all__ = ["Dataset", "Split", "load"]

"""Data sets for training: `load(spec)` returns all items of a data set and their splits."""

from worker.data.dataset import Dataset, ImageFiles, Images, Items, Pool, Scale, Split, Texts
from worker.data.registry import load

__all__ = ["Dataset", "ImageFiles", "Images", "Items", "Pool", "Scale", "Split", "Texts", "load"]

"""Measures of embeddings, each a plain function from tensors to values by metric key."""

from worker.measure.classification import classification
from worker.measure.geometry import geometry
from worker.measure.retrieval import left_out, retrieval

__all__ = ["classification", "geometry", "left_out", "retrieval"]

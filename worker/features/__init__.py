"""Image files and texts as tensors: decoded to pixels, or as features of a frozen backbone, which
are cached on disk."""

from worker.features.decode import decode_images
from worker.features.extract import extract_features

__all__ = ["decode_images", "extract_features"]

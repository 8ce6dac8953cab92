"""Images brought to where they are trained on: decoded, or turned into a frozen backbone's
features, which are kept."""

from worker.features.decode import decode_images
from worker.features.extract import extract_features

__all__ = ["decode_images", "extract_features"]

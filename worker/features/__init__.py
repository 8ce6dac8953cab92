"""Images brought to where they are trained on: decoded, or turned into a frozen backbone's
features, which are kept."""

from worker.features.decode import decode
from worker.features.extract import features

__all__ = ["decode", "features"]

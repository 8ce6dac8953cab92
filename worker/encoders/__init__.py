"""Encoders: networks that map items to embeddings; `build(spec, item_shape)` makes one."""

from worker.encoders.registry import backbone, build, text_model

__all__ = ["backbone", "build", "text_model"]

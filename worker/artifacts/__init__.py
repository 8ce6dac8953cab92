"""What is kept of a trained model: its weights with how to build it, the embeddings of the test
split, and which classes are confused in it."""

from worker.artifacts.contents import Made, TrainedModel, make
from worker.artifacts.origin import BackboneFacts, Origin, backbone_facts, origin_of

__all__ = [
    "BackboneFacts",
    "Made",
    "Origin",
    "TrainedModel",
    "backbone_facts",
    "make",
    "origin_of",
]

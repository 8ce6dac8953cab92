"""What is kept of a trained model: its weights with how to build it, the embeddings of the test
split, and which classes are confused in it."""

from worker.artifacts.contents import Made, TrainedModel, make
from worker.artifacts.origin import ModelFacts, Origin, model_facts, origin_of

__all__ = [
    "Made",
    "ModelFacts",
    "Origin",
    "TrainedModel",
    "make",
    "model_facts",
    "origin_of",
]

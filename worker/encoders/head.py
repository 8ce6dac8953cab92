"""What maps a backbone's features to embeddings."""

from torch import nn

from contract.comparison.encoder import Backbone as Spec


def build_head(spec: Spec, features: int) -> nn.Sequential:
    """[B, features] -> [B, embedding_dim]: linear, or with one hidden layer."""
    if not spec.hidden:
        return nn.Sequential(nn.Linear(features, spec.embedding_dim))
    return nn.Sequential(
        nn.Linear(features, spec.hidden),
        nn.ReLU(),
        nn.Linear(spec.hidden, spec.embedding_dim),
    )

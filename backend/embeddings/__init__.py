"""Embeddings of held-out samples at several epochs: facts, neighbours, distances, projections."""

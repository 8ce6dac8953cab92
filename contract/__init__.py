"""Definitions that all processes share: comparison spec, catalogue, metric keys, events, names."""

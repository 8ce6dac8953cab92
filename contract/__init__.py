"""The words all processes share: the comparison spec, catalogue, metric keys, events and names."""

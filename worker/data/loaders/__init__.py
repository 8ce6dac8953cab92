"""Loaders: one module for each data set or kind of data, listed in `worker.data.registry`."""

"""One module for each data set or kind of data, named in `worker.data.registry`."""

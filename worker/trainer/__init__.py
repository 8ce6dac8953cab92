"""The trainer: one process, one run, from a claim on stdin to an end on the event stream."""

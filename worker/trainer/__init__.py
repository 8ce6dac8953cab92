"""The trainer: a process that trains one run, from the claim on stdin to the end on the event
stream."""

"""The queue as users see it: which slot works on which run, what waits and for how long."""

"""The queue as users see it: who works on what, what waits and for how long."""

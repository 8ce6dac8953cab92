"""The board and the queue: rows, and what can be done with one."""

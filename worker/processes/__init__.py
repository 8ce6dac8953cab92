"""What the worker's processes are to the machine: their priority, their parent, their name."""

"""Worker slots: which are alive, which runs they claim, and how they are woken."""

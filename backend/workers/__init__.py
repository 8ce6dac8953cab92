"""Worker slots: who is known, what they claim and when they are woken."""

"""What the snapshots of held-out samples say, as the pages need it."""

"""Files in the data folder: its lock, and blobs named by their content."""

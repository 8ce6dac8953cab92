"""Files in the data folder: its locks, and blobs named by the digest of their content."""

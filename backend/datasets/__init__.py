"""Data sets that users upload: receive, check in a separate process, store and delete them."""

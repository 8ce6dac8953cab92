"""The event stream of the workers: read it and write it to the database."""

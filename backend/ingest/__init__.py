"""The event stream of the workers, read and written to the database."""

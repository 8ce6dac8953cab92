"""The HTTP API, the database and everything that writes to it; the only code that opens it."""

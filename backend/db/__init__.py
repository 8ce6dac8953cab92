"""The database: its connections, its tables and the history of its schema."""

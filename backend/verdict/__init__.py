"""The verdict on the nine claims: evidence, decisions, caveats, and the table of results."""

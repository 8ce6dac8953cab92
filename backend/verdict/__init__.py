"""The verdict on the nine claims: evidence, words, caveats and the summary table."""

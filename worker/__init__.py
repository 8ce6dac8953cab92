"""Trains arms, measures them and reports; the only code that imports torch."""

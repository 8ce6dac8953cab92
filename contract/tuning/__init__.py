"""Tuning of a comparison: the spaces of its arms, and the specs of its trials and final runs."""

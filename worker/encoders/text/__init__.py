"""Models that turn texts into features: static ones, and transformers."""

"""Templates of comparisons that a team saves beside the built-in presets."""

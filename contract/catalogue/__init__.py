"""What can be chosen: data sets, losses, encoders, presets, and the claims of the paper."""

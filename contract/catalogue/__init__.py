"""The choices of the form: data sets, losses, encoders and presets; and the claims to judge."""

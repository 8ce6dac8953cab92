"""The command line: `python -m frontend.cli`."""

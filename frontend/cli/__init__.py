"""The client's command line: `python -m frontend.cli`."""

"""Starts and watches Lossboard's processes by command line: broker, API, worker slots and UI."""

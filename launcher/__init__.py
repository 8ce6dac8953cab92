"""Start, watch and stop Lossboard's processes by command line: broker, API, worker slots and UI."""

"""Store the curves as trackio does, and serve its dashboard. Argument: the port."""

import sys

import trackio
from trackio.sqlite_storage import SQLiteStorage

from benchmarks.peers.curves import PROJECT, TAG, curves


def main() -> None:
    """A row a step, and then the page."""
    for run, values in curves():
        rows = [{TAG: value} for value in values]
        SQLiteStorage.bulk_log(PROJECT, run, rows, steps=list(range(1, len(rows) + 1)))
    trackio.show(
        PROJECT,
        open_browser=False,
        block_thread=True,
        host="127.0.0.1",
        server_port=int(sys.argv[1]),
        share=False,
    )


if __name__ == "__main__":
    main()

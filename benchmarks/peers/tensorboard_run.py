"""Write event files at a steady pace, flushed at every step, when a line comes on standard input.

Arguments: the folder. One point of each series is there at once, so that a page has its chart.
Prints the time at which each step was handed over, as JSON, at the end.
"""

import json
import sys
import time

from tensorboard.summary import Writer

from benchmarks.peers.pace import PANEL, paced


def main() -> None:
    """Write the first point, wait for the word, write the rest."""
    writer = Writer(sys.argv[1])
    writer.add_scalar(PANEL, 1.0, step=0)
    writer.flush()
    print("ready", flush=True)
    if not sys.stdin.readline():  # nobody watches any more
        return
    handed = []
    for step, values in paced():
        handed.append((step, time.time()))
        for key, value in values.items():
            writer.add_scalar(key, value, step=step)
        writer.flush()
    writer.close()
    print(json.dumps(handed), flush=True)


if __name__ == "__main__":
    main()

"""Write the curves as TensorBoard's event files. Argument: the folder."""

import sys
from pathlib import Path

from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.event_file_writer import EventFileWriter

from benchmarks.peers.curves import TAG, curves


def main() -> None:
    """A folder a run."""
    for run, values in curves():
        writer = EventFileWriter(str(Path(sys.argv[1]) / run))
        for step, value in enumerate(values, 1):
            summary = Summary(value=[Summary.Value(tag=TAG, simple_value=value)])
            writer.add_event(Event(wall_time=step, step=step, summary=summary))
        writer.close()


if __name__ == "__main__":
    main()

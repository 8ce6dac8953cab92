"""`python -m worker.projection`: the process of a projector."""

import signal
import sys

from contract import logs
from worker.errors import SettingsError
from worker.processes.parent import name_process
from worker.processes.priority import lower_priority
from worker.projection.layout_process import NICENESS
from worker.projection.projector import NAME, Projector
from worker.settings import Settings


def main() -> int:
    """Compute projections until asked to stop."""
    try:
        settings = Settings.from_environment()
    except SettingsError as error:
        sys.exit(f"settings cannot be used:\n{error}")
    logs.set_up_logging(settings.log_format)
    projector = Projector(settings)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: projector.stop())
    name_process(NAME)
    lower_priority(NICENESS)
    try:
        projector.work()
    finally:
        projector.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""`python -m worker.projection`: the projector's process."""

import os
import signal
import sys

from contract import logs
from worker.projection.projector import Projector
from worker.settings import Settings


def main() -> int:
    """Work until asked to stop."""
    settings = Settings.from_environment()
    logs.set_up(settings.log_format)
    projector = Projector(settings)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: projector.stop())
    if hasattr(os, "nice"):
        os.nice(5)  # trainings come first
    projector.work()
    projector.close()
    return 0


sys.exit(main())

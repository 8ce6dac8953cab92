"""`python -m worker.projection`: the process of a projector."""

import signal
import sys
from typing import Final

from contract import logs
from worker.errors import SettingsError
from worker.machine import lower_priority
from worker.projection.projector import Projector
from worker.settings import Settings

NICENESS: Final = 15
"""Below the trainings, which are below the API and the pages."""


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
    lower_priority(NICENESS)
    projector.work()
    projector.close()
    return 0


sys.exit(main())

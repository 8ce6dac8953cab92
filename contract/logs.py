"""Log formats of all processes: text lines, or one JSON object in each line.

Both name the run and the attempt that a line belongs to, if any.
"""

import datetime
import json
import logging
from collections.abc import Iterable
from typing import Any, Final

FORMAT_VARIABLE: Final = "LOSSBOARD_LOG_FORMAT"
FORMATS: Final = ("text", "json")


def attempt_fields(run: str, attempt: int) -> dict[str, Any]:
    """Return the `extra` argument for a log line about an attempt."""
    return {"run": run, "attempt": attempt}


class TextFormatter(logging.Formatter):
    """Format `time LEVEL logger: run r1 attempt 2: message`, without the run if there is none."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(whose)s%(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - name of logging
        """Return the line without a traceback."""
        run, attempt = getattr(record, "run", None), getattr(record, "attempt", None)
        record.whose = f"run {run} attempt {attempt}: " if run is not None else ""
        return super().formatMessage(record)


class JsonFormatter(logging.Formatter):
    """Format one JSON object: time (UTC), level, logger, message, run, attempt, and a traceback as
    `error`."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, which never contains a line break."""
        at = datetime.datetime.fromtimestamp(record.created, tz=datetime.UTC)
        line: dict[str, Any] = {
            "time": at.isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= {key: getattr(record, key) for key in ("run", "attempt") if hasattr(record, key)}
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


def set_up_logging(format: str, level: int = logging.WARNING, *, also: Iterable[str] = ()) -> None:
    """Set up the log of this process on stderr, unless logging is configured already.

    Args:
        format: one of FORMATS.
        level: lowest level that is written.
        also: loggers of libraries with handlers of their own, which then write as all others do.
    """
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter() if format == "json" else TextFormatter())
    logging.basicConfig(level=level, handlers=[handler])
    logging.captureWarnings(True)
    for name in also:
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True

"""How a process writes its log: lines for people, or a JSON object a line for machines.

Both name the run and the attempt that a line belongs to, where it belongs to one.
"""

import datetime
import json
import logging
from collections.abc import Iterable, Mapping
from typing import Any, Final

FORMAT_VARIABLE: Final = "LOSSBOARD_LOG_FORMAT"
FORMATS: Final = ("text", "json")


def of(run: str, attempt: int) -> dict[str, Any]:
    """The `extra` of a line about an attempt."""
    return {"run": run, "attempt": attempt}


class TextFormatter(logging.Formatter):
    """`time LEVEL logger: run r1 attempt 2: message`, without the run where there is none."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(whose)s%(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - their name
        """The line, but for a traceback."""
        run, attempt = getattr(record, "run", None), getattr(record, "attempt", None)
        record.whose = f"run {run} attempt {attempt}: " if run is not None else ""
        return super().formatMessage(record)


class JsonFormatter(logging.Formatter):
    """One object: time (UTC), level, logger, message; run and attempt; a traceback as `error`."""

    def format(self, record: logging.LogRecord) -> str:
        """The line; it never holds a line break."""
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


def chosen(environ: Mapping[str, str]) -> str:
    """The format that the environment asks for; text unless it says otherwise.

    Raises:
        ValueError: there is no such format; says which there are.
    """
    name = environ.get(FORMAT_VARIABLE) or FORMATS[0]
    if name not in FORMATS:
        raise ValueError(f"{FORMAT_VARIABLE} is {name!r}; known are {', '.join(FORMATS)}")
    return name


def set_up(format: str, level: int = logging.WARNING, *, also: Iterable[str] = ()) -> None:
    """Make this process write its log to stderr, unless somebody has arranged it already.

    Args:
        format: one of FORMATS.
        level: the least that is written.
        also: loggers of libraries that write by themselves, and shall write as all others.
    """
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter() if format == "json" else TextFormatter())
    logging.basicConfig(level=level, handlers=[handler])
    logging.captureWarnings(True)
    for name in also:
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True

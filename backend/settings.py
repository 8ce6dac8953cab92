"""What the API process is told by its environment: one frozen object, built in the entry."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from backend.auth.tokens import NO_TOKENS, Tokens
from backend.errors import SettingsError
from contract import logs


@dataclass(frozen=True)
class Settings:
    """Settings of one API process."""

    data_dir: Path
    """Folder for everything kept on disk; made at start. LOSSBOARD_DATA_DIR, default ./data."""
    database_url: str
    """LOSSBOARD_DATABASE_URL, default a SQLite file in the data folder."""
    redis_url: str
    """Broker and event stream. REDIS_URL, default a Redis on this machine."""
    worker_token: str = field(repr=False)
    """Secret shared with the workers. LOSSBOARD_WORKER_TOKEN, required."""
    lease_s: float = 10.0
    """How long a run waits for a sign of life of its worker. LOSSBOARD_LEASE_S."""
    max_upload_mb: float = 2048.0
    """The largest data set that may be uploaded, in MB of 1,000,000 bytes.
    LOSSBOARD_MAX_UPLOAD_MB."""
    tokens: Tokens = NO_TOKENS
    """Who may come in; none for an open house. LOSSBOARD_TOKENS, LOSSBOARD_TOKENS_FILE."""
    submits_per_min: float = 60.0
    """How much one person may submit, where there are tokens. LOSSBOARD_SUBMITS_PER_MIN."""
    keep_raw_days: float | None = None
    """How long after a comparison's end every measured point is kept; None for ever.
    LOSSBOARD_KEEP_RAW_DAYS."""
    keep_snapshot_days: float | None = None
    """The same for snapshots but each run's first and last. LOSSBOARD_KEEP_SNAPSHOT_DAYS."""
    log_format: str = "text"
    """text or json. LOSSBOARD_LOG_FORMAT."""

    @property
    def max_upload(self) -> int:
        """The largest upload in bytes."""
        return int(self.max_upload_mb * 1_000_000)

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Self:
        """Read the settings.

        Raises:
            SettingsError: one is missing or makes no sense.
        """
        token = environ.get("LOSSBOARD_WORKER_TOKEN", "")
        if not token:
            raise SettingsError(
                "LOSSBOARD_WORKER_TOKEN is not set: give API and workers the same secret"
            )
        try:
            log_format = logs.chosen(environ)
        except ValueError as error:
            raise SettingsError(str(error)) from None
        data_dir = Path(environ.get("LOSSBOARD_DATA_DIR") or "data").absolute()
        return cls(
            data_dir=data_dir,
            database_url=environ.get("LOSSBOARD_DATABASE_URL")
            or f"sqlite:///{data_dir / 'lossboard.sqlite'}",
            redis_url=environ.get("REDIS_URL") or "redis://127.0.0.1:6379/0",
            worker_token=token,
            lease_s=_number(environ, "LOSSBOARD_LEASE_S", cls.lease_s, (0.1, 3600), "seconds"),
            max_upload_mb=_number(
                environ, "LOSSBOARD_MAX_UPLOAD_MB", cls.max_upload_mb, (1, 1_000_000), "MB"
            ),
            tokens=_tokens(environ),
            submits_per_min=_number(
                environ,
                "LOSSBOARD_SUBMITS_PER_MIN",
                cls.submits_per_min,
                (0, 1_000_000),
                "submits a minute, 0 for as many as one likes",
            ),
            keep_raw_days=_days(environ, "LOSSBOARD_KEEP_RAW_DAYS"),
            keep_snapshot_days=_days(environ, "LOSSBOARD_KEEP_SNAPSHOT_DAYS"),
            log_format=log_format,
        )


def _tokens(environ: Mapping[str, str]) -> Tokens:
    """Those of both variables."""
    entries = environ.get("LOSSBOARD_TOKENS", "")
    path = environ.get("LOSSBOARD_TOKENS_FILE")
    if path:
        try:
            entries = f"{entries}\n{Path(path).read_text(encoding='utf-8')}"
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"LOSSBOARD_TOKENS_FILE {path} cannot be read: {error}") from None
    tokens = Tokens.parse(entries)
    if not tokens and (path or entries.strip()):  # an open house is never what was meant
        raise SettingsError("LOSSBOARD_TOKENS has no entry name:role:token; add one or unset it")
    return tokens


def _days(environ: Mapping[str, str], name: str) -> float | None:
    """A number of days; None where none is given."""
    return _number(environ, name, 0, (1, 36_500), "days") or None


def _number(
    environ: Mapping[str, str], name: str, default: float, bounds: tuple[float, float], unit: str
) -> float:
    raw = environ.get(name)
    if not raw:
        return default
    try:
        number = float(raw)
    except ValueError:
        raise SettingsError(f"{name} is {raw!r}; it must be a number of {unit}") from None
    if not bounds[0] <= number <= bounds[1]:
        raise SettingsError(
            f"{name} is {raw}; it must lie between {bounds[0]} and {bounds[1]} {unit}"
        )
    return number

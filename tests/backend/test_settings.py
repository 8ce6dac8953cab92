"""The settings of the API: what the environment says, the defaults, and what is refused."""

from pathlib import Path

import pytest

from backend.errors import SettingsError
from backend.settings import Settings


def test_settings_and_their_defaults(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="LOSSBOARD_WORKER_TOKEN"):
        Settings.from_environ({})
    plain = Settings.from_environ({"LOSSBOARD_WORKER_TOKEN": "t"})
    assert plain.lease_s == 10
    assert plain.database_url == f"sqlite:///{Path('data').absolute()}/lossboard.sqlite"
    for lease in ("x", "0", "inf", "nan"):
        with pytest.raises(SettingsError, match="LOSSBOARD_LEASE_S"):
            Settings.from_environ({"LOSSBOARD_WORKER_TOKEN": "t", "LOSSBOARD_LEASE_S": lease})
    assert plain.max_upload == 2_048_000_000
    for most in ("x", "0", "nan"):
        with pytest.raises(SettingsError, match="LOSSBOARD_MAX_UPLOAD_MB"):
            Settings.from_environ({"LOSSBOARD_WORKER_TOKEN": "t", "LOSSBOARD_MAX_UPLOAD_MB": most})
    assert (plain.keep_raw_days, plain.keep_snapshot_days) == (None, None)
    for name in ("LOSSBOARD_KEEP_RAW_DAYS", "LOSSBOARD_KEEP_SNAPSHOT_DAYS"):
        for days in ("x", "0", "-1", "nan"):
            with pytest.raises(SettingsError, match=name):
                Settings.from_environ({"LOSSBOARD_WORKER_TOKEN": "t", name: days})
        assert Settings.from_environ({"LOSSBOARD_WORKER_TOKEN": "t", name: ""}) == plain
    own = Settings.from_environ(
        {
            "LOSSBOARD_WORKER_TOKEN": "t",
            "LOSSBOARD_DATA_DIR": str(tmp_path),
            "LOSSBOARD_DATABASE_URL": "postgresql+psycopg://db/l",
            "REDIS_URL": "redis://broker/1",
            "LOSSBOARD_LEASE_S": "2.5",
            "LOSSBOARD_MAX_UPLOAD_MB": "1.5",
            "LOSSBOARD_MOST_TRIALS": "300",
            "LOSSBOARD_KEEP_RAW_DAYS": "90",
            "LOSSBOARD_KEEP_SNAPSHOT_DAYS": "30.5",
        }
    )
    url = "postgresql+psycopg://db/l"
    assert own == Settings(
        tmp_path,
        url,
        "redis://broker/1",
        "t",
        2.5,
        1.5,
        most_trials=300,
        keep_raw_days=90.0,
        keep_snapshot_days=30.5,
    )


def test_code_may_pass_what_the_environment_may_not(tmp_path: Path) -> None:
    settings = Settings(tmp_path, "sqlite://", "redis://", "token", max_upload_mb=1e10)
    assert settings.max_upload == 10**16
    for runs, text in (
        ("0", "must lie"),
        ("20001", "must lie"),
        ("2.5", "whole number"),
        (99 * "9", "whole"),
    ):
        with pytest.raises(SettingsError, match=f"LOSSBOARD_MOST_TRIALS is .*{text}"):
            Settings.from_environ({"LOSSBOARD_WORKER_TOKEN": "t", "LOSSBOARD_MOST_TRIALS": runs})
    with pytest.raises(SettingsError, match="LOSSBOARD_MAX_UPLOAD_MB is 1e10; it must lie"):
        Settings.from_environ({"LOSSBOARD_WORKER_TOKEN": "t", "LOSSBOARD_MAX_UPLOAD_MB": "1e10"})


def test_only_the_documented_names_are_read() -> None:
    environ = {"LOSSBOARD_WORKER_TOKEN": "t"}
    odd = {"lease_s": "5", "tokens": "x", "worker_token": "other"}
    assert Settings.from_environ(environ | odd) == Settings.from_environ(environ)


def test_a_wrong_log_format_names_those_that_there_are() -> None:
    with pytest.raises(
        SettingsError, match=r"^LOSSBOARD_LOG_FORMAT is 'xml'; known are text, json"
    ):
        Settings.from_environ({"LOSSBOARD_WORKER_TOKEN": "t", "LOSSBOARD_LOG_FORMAT": "xml"})


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("LOSSBOARD_ALLOWED_HOSTS", "http://board", "has 'http://board', which is not a host name"),
        ("LOSSBOARD_TRUSTED_PROXIES", "proxy", "has 'proxy', which is neither an IP address"),
        (
            "LOSSBOARD_ALERT_HOSTS",
            "a.org,https://b.org",
            "has 'https://b.org', which is not a host",
        ),
        ("LOSSBOARD_PUBLIC_URL", "board.org", "is 'board.org'; it must be the dashboard's address"),
        ("LOSSBOARD_PUBLIC_URL", "https://b.org?x=1", "is 'https://b.org.x=1'; it must be"),
    ],
)
def test_names_and_proxies_are_checked(name: str, value: str, problem: str) -> None:
    with pytest.raises(SettingsError, match=f"{name} {problem}"):
        Settings.from_environ({"LOSSBOARD_WORKER_TOKEN": "t", name: value})
    both = {"LOSSBOARD_ALLOWED_HOSTS": "api,", "LOSSBOARD_TRUSTED_PROXIES": "10.0.0.0/8"}
    settings = Settings.from_environ({"LOSSBOARD_WORKER_TOKEN": "t", **both})
    assert settings.allowed_hosts == {"api"}
    assert "10.1.1.1" in settings.trusted_proxies
    assert not settings.alert_hosts
    alerts = {"LOSSBOARD_ALERT_HOSTS": "a.org", "LOSSBOARD_PUBLIC_URL": "http://[::1]:8501/lb/"}
    settings = Settings.from_environ({"LOSSBOARD_WORKER_TOKEN": "t", **alerts})
    assert settings.alert_hosts.names == ("a.org",)
    assert settings.public_url == "http://[::1]:8501/lb"

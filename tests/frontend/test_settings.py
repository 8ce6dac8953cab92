import re
from pathlib import Path

import pytest

from frontend.settings import OWN_NAMES, Settings, SettingsError


def test_the_environment_replaces_the_default() -> None:
    assert Settings.from_environment({}).api_url == "http://127.0.0.1:8500"
    assert Settings.from_environment({"LOSSBOARD_API_URL": ""}) == Settings()
    assert Settings.from_environment({"LOSSBOARD_API_URL": "http://x:1/"}).api_url == "http://x:1"


@pytest.mark.parametrize("path", ["", "/lossboard", "/team/lossboard", "/a_b-c.d~e/2"])
def test_a_base_path_is_taken_as_it_is(path: str) -> None:
    assert Settings.from_environment({"LOSSBOARD_BASE_PATH": path}).base_path == path


@pytest.mark.parametrize(
    "path",
    [
        *("lossboard", "/", "/lossboard/", "//lossboard", "/a//b", "/../x", "/a/..", "/a b", "/ä"),
        *("/a?b", "/a#b", "/a%2fb", "/a\n", '/"x"', "http://host/a"),
    ],
)
def test_anything_else_is_refused_with_what_to_write(path: str) -> None:
    with pytest.raises(SettingsError, match=r"LOSSBOARD_BASE_PATH is .*; it must be a path like"):
        Settings.from_environment({"LOSSBOARD_BASE_PATH": path})


@pytest.mark.parametrize("path", ["/api", "/comparison/x", "/static", "/_stcore"])
def test_a_base_path_that_looks_like_our_own_addresses_is_refused(path: str) -> None:
    with pytest.raises(SettingsError, match="is an address of Lossboard itself"):
        Settings.from_environment({"LOSSBOARD_BASE_PATH": path})


def test_the_names_of_all_pages_are_ours() -> None:
    frontend = Path(__file__).parents[2] / "frontend"
    main = (frontend / "main.py").read_text(encoding="utf-8")
    named = set(re.findall(r'url_path="(\w+)"', main))
    files = {path.stem for path in (frontend / "app_pages").glob("*.py")}
    files -= {"audit_log", "new_comparison"}  # they have names of their own
    assert {"new", "trail"} <= named
    assert files | named <= OWN_NAMES


def test_names_and_proxies_come_from_the_environment() -> None:
    settings = Settings.from_environment(
        {
            "LOSSBOARD_ALLOWED_HOSTS": " board.example.org,, api",
            "LOSSBOARD_HOST": "board.lan",
            "LOSSBOARD_TRUSTED_PROXIES": "10.0.0.1",
            "LOSSBOARD_UI_SECRET": "between-us",
        }
    )
    assert settings.allowed_hosts == ("board.example.org", "api")
    assert (settings.host, settings.trusted_proxies) == ("board.lan", "10.0.0.1")
    assert "between-us" not in repr(settings)
    assert Settings.from_environment({"LOSSBOARD_ALLOWED_HOSTS": ","}).allowed_hosts == ()

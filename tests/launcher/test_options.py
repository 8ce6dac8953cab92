"""The command line: defaults, refusals, loopback."""

from pathlib import Path

import pytest

from launcher.console import OptionsError
from launcher.options import is_loopback, parse


def test_defaults_and_the_data_folder_of_the_environment(tmp_path: Path) -> None:
    command, options = parse(["up"], {"LOSSBOARD_DATA_DIR": str(tmp_path)})
    assert command == "up"
    assert options.data_dir == tmp_path
    assert (options.host, options.api_port, options.ui_port) == ("127.0.0.1", 8500, 8501)
    assert options.workers is None
    assert options.browser
    assert options.demo


def test_flags() -> None:
    _, options = parse(["up", "--workers", "3", "--no-browser", "--no-demo"], {})
    assert (options.workers, options.browser, options.demo) == (3, False, False)
    assert options.data_dir == Path("data").resolve()


@pytest.mark.parametrize(
    ("host", "expected"),
    [("127.0.0.1", True), ("localhost", True), ("::1", True), ("0.0.0.0", False), ("lan", False)],
)
def test_loopback(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected


def test_an_ipv6_address_in_brackets_is_loopback_too() -> None:
    assert parse(["up", "--host", "[::1]"], {})[1].host == "::1"
    assert is_loopback("::1")
    assert not is_loopback(parse(["up", "--host", "[::]"], {})[1].host)


def test_the_broker_takes_any_free_port_unless_one_is_named() -> None:
    assert parse(["up"], {})[1].broker_port is None
    assert parse(["up", "--broker-port", "9000"], {})[1].broker_port == 9000
    with pytest.raises(OptionsError, match="must differ"):
        parse(["up", "--broker-port", "8500"], {})


def test_one_port_for_two_is_refused() -> None:
    with pytest.raises(OptionsError, match="must differ"):
        parse(["up", "--api-port", "9000", "--ui-port", "9000"], {})


@pytest.mark.parametrize("words", [["--api-port", "0"], ["--workers", "0"], ["--unknown"]])
def test_nonsense_is_refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        parse(["up", *words], {})
    assert words[0] in capsys.readouterr().err

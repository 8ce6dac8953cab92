"""docs/CLIENT.md: it names every method and option, and its examples run against a real API."""

import argparse
import inspect
import re
from pathlib import Path

import httpx
import pytest

from backend.app import create_app
from backend.settings import Settings
from contract.comparison.spec import parse_spec
from frontend.api.client import Api
from frontend.cli.arguments import FORMATS, PATIENCE_S, parser
from frontend.cli.output import (
    EXIT_API_AWAY,
    EXIT_INTERRUPTED,
    EXIT_OK,
    EXIT_RUN_FAILED,
    EXIT_WRONG_INPUT,
)
from launcher.__main__ import MODULE_COMMANDS
from tests.backend.helpers import claim
from tests.backend.scripted_runs import per_epoch, run_script
from tests.support.serving import serving

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "CLIENT.md"
TEXT = DOCUMENT.read_text(encoding="utf-8")


def methods() -> set[str]:
    found = inspect.getmembers(Api, inspect.isfunction)
    return {name for name, _ in found if not name.startswith("_")}


def test_every_method_of_the_client_is_documented_and_the_other_way_round() -> None:
    rows = re.findall(r"^\| (`[a-z_]+\(.*?`) \|", TEXT, re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"`([a-z_]+)\(", row)}
    assert named == methods()


def test_every_command_format_and_exit_status_is_documented() -> None:
    [subparsers] = [
        action for action in parser()._actions if isinstance(action, argparse._SubParsersAction)
    ]
    typed = TEXT.partition("## Client")[0]
    named = set(re.findall(r"^\| `([a-z]+)[^`]*` \|", typed, re.MULTILINE))
    assert (
        set(subparsers.choices)
        == named
        == {name for name, module in MODULE_COMMANDS.items() if module == "frontend.cli"}
    )
    assert all(f"`{kind}`" in TEXT or f"--format {kind}`" in TEXT for kind in FORMATS)
    statuses = re.findall(r"^\| (\d+) \|", TEXT, re.MULTILINE)
    assert statuses == [
        str(code)
        for code in (EXIT_OK, EXIT_RUN_FAILED, EXIT_WRONG_INPUT, EXIT_API_AWAY, EXIT_INTERRUPTED)
    ]
    assert f"`--patience` seconds ({PATIENCE_S:g})" in TEXT


def test_the_examples_run(
    tmp_path: Path,
    broker_url: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    url = f"sqlite:///{tmp_path / 'lossboard.sqlite'}"
    app = create_app(Settings(tmp_path, url, broker_url, "secret"))
    examples = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    assert len(examples) == 3
    first, second, third = examples
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    with serving(app) as served:
        exec(first.replace("http://127.0.0.1:8500", served), names)
        exec(second, names)
        said = capsys.readouterr().out
        assert "queued" in said
        assert "seeds " in said
        assert "encoder" in said
        database = app.state.parts.database
        while run := claim(database):
            run_script(database, run, {"dynamics.loss": per_epoch(1.0, 0.5)})
        exec(third, names)
        http = names["http"]
        assert isinstance(http, httpx.Client)
        http.close()
    said = capsys.readouterr().out
    assert "dynamics.loss margin 0.3 0.5" in said
    assert (tmp_path / "results.parquet").stat().st_size > 1000
    spec = names["spec"]
    assert len(parse_spec(spec).arms) == 3

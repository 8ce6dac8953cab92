"""Comparisons that are tuned, on the command line, against a real API."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI

from backend.app import create_app
from backend.settings import Settings
from frontend.cli import __main__ as cli
from frontend.cli.output import EXIT_OK, EXIT_RUN_FAILED
from tests.support.serving import serving
from tests.support.specs import small
from tests.support.tuned import store_tuned


@pytest.fixture
def app(tmp_path: Path, broker_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[FastAPI]:
    url = f"sqlite:///{tmp_path / 'lossboard.sqlite'}"
    made = create_app(Settings(tmp_path / "data", url, broker_url, "secret"))
    with serving(made) as served:
        monkeypatch.setenv("LOSSBOARD_API_URL", served)
        yield made


def test_a_submitted_search_says_what_comes(
    app: FastAPI, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert app.state.parts
    file = tmp_path / "spec.json"
    file.write_text(json.dumps(small(tuning={"trials": 3}, seeds=[0, 1])))
    assert cli.main(["submit", str(file)]) == EXIT_OK
    said = capsys.readouterr().err
    assert "3 runs: triplet over 2 seeds on one split. First each arm gets 3 trials; 2" in said


def test_the_end_of_a_search_is_that_of_its_final_runs(
    app: FastAPI, capsys: pytest.CaptureFixture[str]
) -> None:
    states = {"pull": ["complete", "failed"], "rank": ["complete", "complete"]}
    finals = {"pull": ["succeeded"] * 2, "rank": ["succeeded"] * 2}
    made = store_tuned(app.state.parts.database, states, finals)
    assert cli.main(["watch", made.id]) == EXIT_OK
    assert "4 of 4 final runs  100%  succeeded" in capsys.readouterr().err


def test_a_search_without_a_value_names_the_trials_that_failed(
    app: FastAPI, capsys: pytest.CaptureFixture[str]
) -> None:
    made = store_tuned(app.state.parts.database, {"pull": ["failed"], "rank": ["failed"]})
    assert cli.main(["watch", made.id]) == EXIT_RUN_FAILED
    said = capsys.readouterr().err
    assert "pull, trial 0, seed 1000, fold 0: failed: m c" in said

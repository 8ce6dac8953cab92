"""The command line against a real API; as a separate process where signals and files matter."""

import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pyarrow.parquet as pq
import pytest
from fastapi import FastAPI

from backend.app import create_app
from backend.db.models import Comparison
from backend.runs.repository import of_comparison as runs_of
from backend.settings import Settings
from frontend.api.client import Api
from frontend.cli import __main__ as cli
from frontend.cli.output import EXIT_OK, EXIT_WRONG_INPUT, Progress, printable
from frontend.cli.watch import Clock, watch
from frontend.errors import ApiAwayError, SignedOutError
from tests.backend.helpers import claim
from tests.backend.scripted_runs import PAIR, per_epoch, run_script
from tests.backend.token_users import TOKENS, with_tokens
from tests.support.ports import free_ports
from tests.support.serving import serving
from tests.support.specs import small
from tests.support.waiting import until

ROOT = Path(__file__).resolve().parents[3]
SPEC = small(name="typed", arms=list(PAIR), seeds=[0, 1])


@pytest.fixture
def app(tmp_path: Path, broker_url: str) -> FastAPI:
    url = f"sqlite:///{tmp_path / 'lossboard.sqlite'}"
    return create_app(Settings(tmp_path / "data", url, broker_url, "secret"))


@pytest.fixture
def address(app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    with serving(app) as served:
        monkeypatch.setenv("LOSSBOARD_API_URL", served)
        yield served


@pytest.fixture
def house(tmp_path: Path, broker_url: str) -> Iterator[str]:
    """Address of a Lossboard with a sign-in."""
    url = f"sqlite:///{tmp_path / 'house.sqlite'}"
    with serving(create_app(with_tokens(Settings(tmp_path, url, broker_url, "secret")))) as served:
        yield served


def test_the_token_of_the_environment_lets_in_and_names_who_submits(
    house: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    command = ["submit", written(tmp_path, SPEC), "--api", house]
    assert cli.main(command) == EXIT_WRONG_INPUT
    assert "needs a token" in capsys.readouterr().err
    monkeypatch.setenv("LOSSBOARD_TOKEN", TOKENS["viewer"])
    assert cli.main(command) == EXIT_WRONG_INPUT
    assert "'Vera' has the role viewer" in capsys.readouterr().err
    monkeypatch.setenv("LOSSBOARD_TOKEN", f"{TOKENS['editor']}\n")
    assert cli.main(command) == EXIT_OK
    own = capsys.readouterr().out.strip()
    with httpx.Client(base_url=house) as http:
        admin = Api(http, token=TOKENS["admin"])
        assert admin.me() == {"name": "Adam", "role": "admin", "signed_in": True}
        assert admin.comparison(own)["created_by"] == "Edda"
        assert [one["ids"] for one in admin.audit(who="Edda")["entries"]] == [{"comparison": own}]
        assert [one["status"] for one in admin.audit()["entries"]] == [201, 403, 401]
        told: list[str] = []
        wrong = Api(http, token=lambda: "wrong-token", on_signed_out=lambda: told.append("out"))
        with pytest.raises(SignedOutError, match="unknown or no longer valid"):
            wrong.workers()
        assert told == ["out"]


def finish(app: FastAPI, state: str = "succeeded") -> None:
    """Act as a worker until all queued runs have ended."""
    database = app.state.parts.database
    while run := claim(database):
        run_script(database, run, {"dynamics.loss": per_epoch(1.0, 0.5)}, state=state)


def written(tmp_path: Path, spec: Any) -> str:
    path = tmp_path / "spec.json"
    path.write_text(json.dumps(spec), encoding="utf-8")
    return str(path)


def test_a_spec_is_submitted_and_its_id_alone_goes_to_stdout(
    address: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["submit", written(tmp_path, SPEC)]) == 0
    out, err = capsys.readouterr()
    with httpx.Client(base_url=address) as http:
        assert Api(http).comparison(out.strip())["name"] == "typed"
    assert "4 runs" in err


def test_a_preview_is_printed_and_nothing_is_submitted(
    address: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    short = {**SPEC, "training": {"epochs": 1, "batch_size": 64}}
    assert cli.main(["submit", written(tmp_path, short), "--preview"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["Runs", "4", "runs"]
    assert lines[1].split(maxsplit=1)[1] == "1,074 items (10 classes, smallest 104)"
    assert any(line.startswith("Warning") and "16 steps in all" in line for line in lines)
    assert any(line.startswith("Time") and "no worker" in line for line in lines)
    with httpx.Client(base_url=address) as http:
        assert Api(http).comparisons()["total"] == 0
    wrong = {**SPEC, "seeds": []}
    assert cli.main(["submit", written(tmp_path, wrong), "--preview"]) == EXIT_WRONG_INPUT
    assert "seeds" in capsys.readouterr().err


def test_a_spec_comes_from_stdin_too(
    address: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps(SPEC)))
    assert cli.main(["submit", "-"]) == 0
    assert capsys.readouterr().out.startswith("c")


def test_every_problem_of_a_spec_is_printed_with_its_path(
    address: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = {**SPEC, "seeds": [], "surprise\x1b[2J": 1, "encoder": {"kind": "no"}}
    assert cli.main(["submit", written(tmp_path, bad)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert {line.split(":")[0].strip() for line in err.splitlines()[1:]} == {
        "seeds",
        "surprise?[2J",
        "encoder",
    }


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'{"a": ', "line 1, column 7"),
        (b"\xff\xfe", "UTF-8"),
        (None, "No such file"),
        (b'{"seeds": [0], "seeds": [1]}', "seeds: the key is given more than once"),
        (b'{"arms": [{"loss": {"margin": NaN}}]}', "arms[0].loss.margin: NaN is not a number"),
        (b'{"\\u001b": 1, "\\u001b": 2}', "?: the key is given more than once"),
    ],
)
def test_a_file_that_is_not_a_spec_is_named_with_the_reason(
    tmp_path: Path, content: bytes | None, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "spec.json"
    if content is not None:
        path.write_bytes(content)
    assert cli.main(["submit", str(path)]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    "typed",
    [
        ["submit"],
        ["watch", "c1", "--patience", "-1"],
        ["export", "c1"],
        ["export", "c1", "--output", "x", "--format", "csv", "--what", "all"],
        ["list", "--api", "127.0.0.1:8500"],
    ],
)
def test_wrong_usage_ends_with_2(typed: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(typed)
    assert ended.value.code == 2


def test_an_api_that_is_away_ends_with_3(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    [port] = free_ports(1)
    typed = ["submit", written(tmp_path, SPEC), "--api", f"http://127.0.0.1:{port}"]
    assert cli.main(typed) == 3
    assert "does not answer" in capsys.readouterr().err


def test_a_comparison_that_does_not_exist_cannot_be_watched(
    address: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["watch", "c0"]) == 2
    assert "there is no comparison" in capsys.readouterr().err


@pytest.mark.parametrize(("state", "status"), [("succeeded", 0), ("failed", 1)])
def test_watching_shows_progress_and_ends_as_the_runs_do(
    app: FastAPI, address: str, state: str, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    with httpx.Client(base_url=address) as http:
        api = Api(http)
        own = api.create(SPEC)["id"]
        clock = Clock(sleep=lambda _: finish(app, state))
        assert watch(api, own, patience=0, clock=clock) == status
    first, last, *errors = capsys.readouterr().err.splitlines()
    assert "0 of 4 runs" in first
    assert "waits for a worker" in first
    assert "4 of 4 runs" in last
    assert len(errors) == (0 if state == "succeeded" else 4)
    assert all(error.endswith(": failed: m c") for error in errors)


def test_watching_tells_the_place_in_the_queue(
    app: FastAPI, address: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with httpx.Client(base_url=address) as http:
        api = Api(http)
        api.create({**SPEC, "name": "before"})
        own = api.create({**SPEC, "seeds": [5]})["id"]
        assert watch(api, own, patience=0, clock=Clock(sleep=lambda _: finish(app))) == 0
    assert "5th in the queue" in capsys.readouterr().err.splitlines()[0]


def test_watching_tells_which_runs_do_not_train(
    app: FastAPI, address: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def finish_collapsed(_seconds: float) -> None:
        finish(app)
        with app.state.parts.database.write() as write:
            first = runs_of(write.session, own)[0]
            first.states = [{"state": "collapsed", "step": 3, "message": "one\x1bpoint"}]
            write.session.add(first)

    with httpx.Client(base_url=address) as http:
        api = Api(http)
        own = api.create(SPEC)["id"]
        assert watch(api, own, patience=0, clock=Clock(sleep=finish_collapsed)) == 0
    line = capsys.readouterr().err.splitlines()[-1]
    assert line.startswith("collapsed: ")
    assert "in 1 of 2 runs. " in line
    assert line.endswith(": one?point")


def test_watching_a_comparison_that_is_deleted_ends_with_1(
    address: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with httpx.Client(base_url=address) as http:
        api = Api(http)
        own = api.create(SPEC)["id"]
        assert watch(api, own, patience=0, clock=Clock(sleep=lambda _: api.delete(own))) == 1
    assert "was deleted meanwhile" in capsys.readouterr().err


def test_watching_outlasts_an_api_that_comes_back(
    app: FastAPI,
    address: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with httpx.Client(base_url=address) as http:
        api = Api(http)
        own = api.create(SPEC)["id"]
        finish(app)
        real, away = api.comparison, iter([True, True, False])

        def sometimes(comparison: str) -> Any:
            if next(away, False):
                raise ApiAwayError("api_unavailable", "It does not answer.")
            return real(comparison)

        monkeypatch.setattr(api, "comparison", sometimes)
        assert watch(api, own, patience=60, clock=Clock(sleep=lambda _: None)) == 0
    said = capsys.readouterr().err
    assert said.count("It does not answer. Trying again for 60 s") == 1
    assert "The API is back." in said


def test_patience_ends_with_3() -> None:
    [port] = free_ports(1)
    passed: list[float] = [0.0]
    clock = Clock(now=lambda: passed[0], sleep=lambda s: passed.__setitem__(0, passed[0] + s))
    with httpx.Client(base_url=f"http://127.0.0.1:{port}") as http:
        assert watch(Api(http), "c1", patience=5, clock=clock) == 3
    assert passed[0] == pytest.approx(5)


@pytest.fixture
def _interruptible() -> Iterator[None]:
    """Let child processes receive SIGINT; a shell that starts tests in the background blocks it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("_interruptible")
def test_ctrl_c_leaves_the_runs_going_and_says_so(address: str) -> None:
    with httpx.Client(base_url=address) as http:
        api = Api(http)
        own = api.create(SPEC)["id"]
        command = [sys.executable, "-m", "launcher", "watch", own]
        with subprocess.Popen(
            command, cwd=ROOT, stderr=subprocess.PIPE, text=True, env=dict(os.environ)
        ) as process:
            assert process.stderr
            assert "0 of 4 runs" in process.stderr.readline()
            process.send_signal(signal.SIGINT)
            _, said = process.communicate(timeout=90)
        assert process.returncode == 130
        assert "The runs go on." in said
        assert f"watch {own}" in said
        assert api.comparison(own)["state"] == "queued"


def test_the_launcher_passes_commands_on_from_any_folder(address: str, tmp_path: Path) -> None:
    written(tmp_path, SPEC)
    command = [sys.executable, "-m", "launcher", "submit", "spec.json"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("c")


def test_an_export_is_complete_or_not_there(
    app: FastAPI, address: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with httpx.Client(base_url=address) as http:
        own = Api(http).create(SPEC)["id"]
    finish(app)

    def exported(name: str, *options: str) -> Path:
        target = tmp_path / name
        assert cli.main(["export", own, "--output", str(target), *options]) == 0
        return target

    spec = json.loads(exported("spec.json").read_text(encoding="utf-8"))
    assert spec["name"] == "typed"
    everything = exported("all.json", "--what", "all").read_text(encoding="utf-8")
    assert json.loads(everything)["spec"] == spec
    assert exported("r.csv", "--format", "csv").read_text().startswith("arm,seed,metric")
    series = exported("s.parquet", "--format", "parquet", "--what", "series")
    assert pq.read_table(series).num_rows == 4 * 11
    assert r"\toprule" in exported("t.tex", "--format", "latex").read_text(encoding="utf-8")
    assert cli.main(["report", own, "--output", str(tmp_path / "r.html")]) == 0
    assert (tmp_path / "r.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    before = sorted(tmp_path.iterdir())
    assert cli.main(["export", "c0", "--format", "csv", "--output", str(tmp_path / "no")]) == 2
    assert sorted(tmp_path.iterdir()) == before
    assert cli.main(["export", own, "--output", str(tmp_path / "no" / "x")]) == 2
    assert "No such file" in capsys.readouterr().err


def test_a_list_is_a_line_each(
    app: FastAPI, address: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with httpx.Client(base_url=address) as http:
        api = Api(http)
        done = api.create({**SPEC, "name": "done"})["id"]
        with app.state.parts.database.write() as write:  # version 0.5 took such names
            write.session.get_one(Comparison, done).name = "done\x1b]0;x"
        finish(app)
        waiting = api.create(SPEC)["id"]
    assert cli.main(["list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:3] for line in lines] == [
        [waiting, "queued", "0%"],
        [done, "succeeded", "100%"],
    ]
    assert lines[1].endswith("done?]0;x"), "nothing steers the terminal"
    assert cli.main(["list", "--most", "1"]) == 0
    assert "1 more match" in capsys.readouterr().err


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_on_a_terminal_one_line_changes_and_elsewhere_lines_are_few() -> None:
    terminal, file = Terminal(), io.StringIO()
    for stream in (terminal, file):
        bar = Progress(stream)
        for percent in range(101):
            bar.show("0 of 1 runs", percent / 100, "")
        bar.end()
    assert terminal.getvalue().count("\n") == 1
    assert terminal.getvalue().count("\r") == 101
    lines = file.getvalue().splitlines()
    assert 18 <= len(lines) <= 22
    assert lines[-1] == f"[{'#' * 30}] 0 of 1 runs  100%"
    assert "\r" not in file.getvalue()


def test_control_characters_are_removed() -> None:
    assert printable("a\x1b[31mb\nc\u202e") == "a?[31mb?c?"
    assert printable("größe “x” 日本") == "größe “x” 日本"


def test_a_worker_that_comes_late_is_waited_for(app: FastAPI, address: str) -> None:
    with httpx.Client(base_url=address) as http:
        own = Api(http).create(SPEC)["id"]
    command = [sys.executable, "-m", "frontend.cli", "watch", own]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        assert "waits for a worker" in process.stderr.readline()
        finish(app)
        until(lambda: process.poll() is not None, "the command's end", timeout=20)
        assert process.returncode == 0

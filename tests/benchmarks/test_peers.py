import json
import sys
from pathlib import Path

import pytest

from benchmarks.peers.environment import MISSING, Answer, ask, parsed, surroundings
from benchmarks.peers.job import KEYS, Job, answer, expect
from benchmarks.row import GOAL
from benchmarks.tracking import Peers, reasons, rows_of
from benchmarks.tracking_cases import BARE, CASES, FILE, HASHED, SCRIPTS, THINNED, WRITTEN

OURS = {case.title: [1.0, 3.0, 2.0] for case in CASES}


def test_the_answer_is_the_last_printed_line() -> None:
    found = {"version": "3.1", "seconds": {"logged": 2.5}, "failed": {"whole": "KeyError: 'a'"}}
    assert parsed(f"* a banner\n{{}}\n\n{json.dumps(found)}\n") == Answer(
        "3.1", {"logged": 2.5}, {"whole": "KeyError: 'a'"}
    )


@pytest.mark.parametrize("printed", ["", "* a banner", '{"version": "3.1"}', "[1]"])
def test_output_without_an_answer_is_reported(printed: str) -> None:
    with pytest.raises(ValueError, match="its last line is no answer"):
        parsed(printed)


def test_peers_that_are_not_installed_or_too_slow_are_an_answer_with_the_reason(
    tmp_path: Path,
) -> None:
    calls = [("logged", 40), ("whole", 20)]
    nowhere = ask("with_mlflow", tmp_path, calls, python=tmp_path / "python")
    assert nowhere == Answer("", {}, {"logged": MISSING, "whole": MISSING})
    hasty = ask("with_mlflow", tmp_path, calls, python=Path(sys.executable), timeout=0.001)
    assert hasty == Answer("", {}, dict.fromkeys(("logged", "whole"), "not done in 0.001 s"))
    # This process' own environment has no trackio.
    alone = ask("with_trackio", tmp_path, calls, python=Path(sys.executable))
    assert set(alone.failed) == {"logged", "whole"}
    assert alone.failed["whole"] == "ModuleNotFoundError: No module named 'trackio'"


def test_a_failed_call_is_reported_and_the_others_are_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(job: Job) -> float:
        raise OSError(f"no room for\n{job.points} points")

    asked = {"folder": str(tmp_path), "calls": [["a", 60], ["b", 40]]}
    monkeypatch.setattr(sys, "argv", ["with_pytest", json.dumps(asked)])
    answer("pytest", {"a": refuse, "b": lambda job: len(list(job.steps)) / 4})
    found = parsed(capsys.readouterr().out)
    assert found == Answer(pytest.__version__, {"b": 0.5}, {"a": "OSError: no room for 60 points"})


def test_a_job_has_as_many_points_as_were_asked_for(tmp_path: Path) -> None:
    job = Job(tmp_path, 100)
    assert sum(len(values) for _, values in job.steps) == 100
    assert [step for step, _ in job.steps] == [0, 1, 2, 3, 4]
    assert [set(values) for _, values in job.steps] == [set(KEYS)] * 5
    assert len(list(job.curve)) == 100
    expect(100, 50, 100)
    with pytest.raises(ValueError, match="101 points came back"):
        expect(101, 50, 100)


def test_a_peers_process_stays_in_its_folder_and_offline(tmp_path: Path) -> None:
    found = surroundings(tmp_path)
    assert found["HOME"] == found["TMPDIR"] == str(tmp_path)
    assert found["DO_NOT_TRACK"] == found["MLFLOW_DISABLE_TELEMETRY"] == "true"


def test_a_peer_that_was_not_measured_has_a_row_with_the_reason(tmp_path: Path) -> None:
    peers = Peers(tmp_path)
    for case in CASES:
        for script, call in case.peers:
            peers.keep(script, Answer("", {}, {call: MISSING}))
    rows = list(rows_of(OURS, peers))
    beside = [row for row in rows if row.peer_name != GOAL]
    assert len(beside) == sum(len(case.peers) for case in CASES) == len(rows) - 1
    assert {script for case in CASES for script, _ in case.peers} == set(SCRIPTS)
    for row in beside:
        assert row.ours == 2.0
        assert row.peer is None
        assert row.peer_name.endswith(f" (not measured: {MISSING})")
        assert row.met is None
    assert peers.versions == {}
    assert reasons(rows) == []


def test_rates_times_and_the_reasons_of_those_ahead(tmp_path: Path) -> None:
    peers = Peers(tmp_path)
    for case in CASES:
        for script, call in case.peers:
            peers.keep(script, Answer("1.0", {}, {call: "busy"}))
    for seconds in (9.0, 1.0, 2.0):
        peers.keep("with_tensorboard", Answer("2.21", {"logged": seconds, "stored": 1e6}, {}))
        peers.keep("with_aim", Answer("3.29", {"thinned": seconds / 1e6}, {}))
    rows = {(row.case, row.peer_name.split()[0]): row for row in rows_of(OURS, peers)}
    written = rows[WRITTEN.title, "TensorBoard"]
    assert written.peer == WRITTEN.peers["with_tensorboard", "logged"].points / 2
    assert written.ratio == pytest.approx(2.0 / 20_000)
    bare = rows[BARE.title, "TensorBoard"]
    assert bare.ratio == pytest.approx(20.0)
    thinned = rows[THINNED.title, "Aim"]
    assert thinned.peer == pytest.approx(2e-3)
    assert thinned.met is False
    assert thinned.peer_name == "Aim sample, 100,000 points"
    assert peers.versions["tensorboard"] == "2.21"
    assert reasons(list(rows.values())) == [FILE, HASHED]

import sys

import pytest

from benchmarks import __main__ as every


def ended(code: str) -> every.Outcome:
    return every.run([sys.executable, "-c", code], "demo")


@pytest.mark.parametrize(
    ("code", "good", "verdict"),
    [
        ("print('met    speed')", True, "ok"),
        ("print('MISSED speed: 3')", False, "1 goals missed\n    MISSED speed: 3"),
        ("print('MISSED speed: 3'); exit(1)", False, "1 goals missed\n    MISSED speed: 3"),
        ("raise OSError", False, "FAILED, exit code 1"),
        ("import os; os.abort()", False, "FAILED, exit code -6"),
        ("print('MISSED speed'); exit(2)", False, "FAILED, exit code 2\n    MISSED speed"),
    ],
)
def test_a_benchmark_ends_well_misses_a_goal_or_fails(code: str, good: bool, verdict: str) -> None:
    outcome = ended(code)
    assert outcome.good is good
    assert outcome.verdict.endswith(f" min  {verdict}")


def test_one_that_fails_does_not_keep_the_others_from_running(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    codes = {"a": "exit(3)", "b": "print('MISSED speed')", "c": "print('fine')"}
    run = every.run
    monkeypatch.setattr(every, "scripts", lambda: list(codes))
    monkeypatch.setattr(
        every, "run", lambda _, name: run([sys.executable, "-c", codes[name]], name)
    )
    monkeypatch.setattr(sys, "argv", ["benchmarks"])
    assert every.main() == 1
    printed = capsys.readouterr().out
    assert "\nfine\n" in printed
    assert [line.split()[0] for line in printed.split("Summary\n")[1].splitlines()] == [
        "a",
        "b",
        "MISSED",
        "c",
    ]
    monkeypatch.setattr(sys, "argv", ["benchmarks", "c"])
    assert every.main() == 0


def test_a_name_that_no_benchmark_has_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["benchmarks", "quick"])
    with pytest.raises(SystemExit):
        every.main()
    assert "no such benchmark: quick" in capsys.readouterr().err

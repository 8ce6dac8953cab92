import json
import sys
from pathlib import Path

import numpy
import pytest

from benchmarks import document, report
from benchmarks.row import Row

AHEAD = Row("demo", "sorting", 2.0, "ms", 5, 6.0, "numpy", least_ratio=2)
BEHIND = Row("demo", "reading", 9.0, "s", 3, 3.0, "a bare loop", limit=8)
ABSENT = Row("demo", "joining", 1234.5, "MiB", 1, None, "numpy (needs 64 GiB)")


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty page, and an empty folder for results."""
    monkeypatch.setattr(document, "PAGE", tmp_path / "BENCHMARKS.md")
    monkeypatch.setattr(report, "RESULTS", tmp_path / "results")
    return tmp_path / "BENCHMARKS.md"


def as_script(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    class Script:
        __doc__ = "Sorting against\nother ways.\n\nTakes a minute."
        __spec__ = type("Spec", (), {"name": name})

    monkeypatch.setitem(sys.modules, "__main__", Script)
    monkeypatch.setattr("sys.argv", ["demo.py", "--set", "a b"])


@pytest.mark.parametrize(
    ("row", "ratio", "met"),
    [
        (AHEAD, 3.0, True),
        (BEHIND, 1 / 3, False),
        (Row("demo", "rate", 300, "points/s", 1, 100, "numpy", higher_is_better=True), 3, None),
        (Row("demo", "rate", 90, "points/s", 1, 100, "goal", higher_is_better=True), 0.9, False),
        (Row("demo", "cost", -0.5, "%", 1, 5, "goal"), None, True),
        (Row("demo", "cost", 6, "%", 1, 5, "goal"), 5 / 6, False),
        (Row("demo", "absent", 6, "s", 1, None, "numpy", least_ratio=2), None, False),
        (Row("demo", "both", 6, "s", 1, 12, "numpy", least_ratio=2, limit=5), 2, False),
    ],
)
def test_ratios_and_goals(row: Row, ratio: float | None, met: bool | None) -> None:
    assert row.ratio == (None if ratio is None else pytest.approx(ratio))
    assert row.met is met


def test_the_last_run_alone_is_kept(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    as_script(monkeypatch, "benchmarks.demo")
    assert not report.report([AHEAD, BEHIND])
    assert report.report([AHEAD])
    [line] = (page.parent / "results" / "demo.jsonl").read_text().splitlines()
    assert json.loads(line) == {
        "bench": "demo",
        "case": "sorting",
        "ours": 2.0,
        "peer": 6.0,
        "peer_name": "numpy",
        "unit": "ms",
        "ratio": 3.0,
        "n": 5,
    }


def test_a_section_says_what_was_measured_and_where_we_lose(
    page: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page.write_text("# Benchmarks\n\nProse.\n\n## demo\n\nold\n\n## other\n\nstays\n")
    as_script(monkeypatch, "benchmarks.demo")
    report.report(
        [AHEAD, BEHIND, ABSENT], versions={"mlflow": "3.9"}, notes=["A loop sorts nothing."]
    )
    text = page.read_text()
    assert text.startswith("# Benchmarks\n\nProse.\n\n## demo\n\nSorting against other ways.\n")
    assert text.endswith("|\n\nA loop sorts nothing.\n\n## other\n\nstays\n")
    assert "old" not in text
    assert "`python -m benchmarks.demo --set 'a b'`" in text
    assert document.machine() in text
    assert f"numpy {numpy.__version__}, mlflow 3.9" in text
    assert "| sorting | 2 ms | 6 ms, numpy | 3 | 5 | ratio at least 2: met |" in text
    assert (
        "| 9 s | 3 s, a bare loop | **0.333, peer ahead** | 3 | at most 8 s: **MISSED** |" in text
    )
    assert "| joining | 1,234 MiB | numpy (needs 64 GiB) |  | 1 |  |" in text
    printed = capsys.readouterr().out
    assert "\nMISSED reading: at most 8 s: 9 s\n" in printed
    assert "\nmet    sorting: ratio at least 2: 2 ms, ratio 3 to numpy\n" in printed


def test_a_trial_and_a_call_from_elsewhere_document_nothing(
    page: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_script(monkeypatch, "benchmarks.demo")
    report.report([AHEAD], document=False)
    assert not (page.parent / "results").exists()
    as_script(monkeypatch, "pytest")
    report.report([AHEAD])
    assert not page.exists()


def test_a_section_goes_where_its_bench_was_or_to_the_end() -> None:
    page = document.with_section("# Top\n", "a", "one")
    page = document.with_section(page, "ab", "two")
    page = document.with_section(page, "a", "three")
    assert page == "# Top\n\n## a\n\nthree\n\n## ab\n\ntwo\n"

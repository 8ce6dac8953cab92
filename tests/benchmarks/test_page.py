import re
from pathlib import Path

from benchmarks.__main__ import FOLDER, OTHERS, scripts
from benchmarks.document import PAGE

ROOT = Path(__file__).parents[2]
AWAITED = {"data"}
"""Benchmarks whose first documented run is still to come."""


def sections() -> dict[str, str]:
    parts = re.split(r"^## (.*)\n", PAGE.read_text(), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_every_benchmark_has_a_section_of_the_page_and_the_other_way_round() -> None:
    assert set(sections()) == set(scripts()) - AWAITED
    assert set(scripts()) > AWAITED
    assert len(scripts()) == 24


def test_every_section_says_what_was_measured_how_where_and_when() -> None:
    for name, text in sections().items():
        assert re.match(rf"\n\w[^\n]+\n\n- Command: `python -m benchmarks\.{name}", text), name
        for label in ("Date: 20", "Machine: ", "Versions: Python "):
            assert f"\n- {label}" in text, name
        assert "\n| case | ours | peer | ratio | n | goal |\n|--" in text, name


def test_every_benchmark_is_run_by_make_bench_or_listed_as_separate() -> None:
    startable = {path.stem for path in FOLDER.glob("*.py") if "__main__" in path.read_text()}
    assert startable == {*scripts(), *OTHERS, "document"}
    assert "python -m benchmarks.quick" in PAGE.read_text()
    assert "python -m benchmarks.findings" in (ROOT / "docs" / "FINDINGS.md").read_text()
    assert "| `make bench` |" in (ROOT / "README.md").read_text()

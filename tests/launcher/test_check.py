"""`check`: what is there and what is missing; its list is the one that `make run` installs."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from launcher import check, machine
from launcher.options import Options
from tests.support.ports import free_ports

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def options(tmp_path: Path) -> Options:
    api, ui, broker = free_ports(3)
    return Options(data_dir=tmp_path / "data", api_port=api, ui_port=ui, broker_port=broker)


def test_nothing_is_missing_here(options: Options) -> None:
    lines, fine = check.report(options)
    assert fine, "\n".join(lines)
    assert not options.data_dir.exists(), "check changes nothing"


def test_a_disk_with_little_room_is_a_warning_and_no_obstacle(
    options: Options, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "LOW_ROOM_BYTES", 10**18)
    lines, fine = check.report(options)
    assert fine
    [warning] = [line for line in lines if line.startswith("WARNING")]
    assert re.search(rf"only [\d.]+ GB are free on the disk of .* {options.data_dir}", warning)
    monkeypatch.setattr(machine, "LOW_ROOM_BYTES", 0)
    assert not [line for line in check.report(options)[0] if line.startswith("WARNING")]


def test_what_is_missing_is_named(options: Options, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check, "PACKAGES", ("pydantic", "no-such-package"))
    lines, fine = check.report(options)
    assert not fine
    assert [line for line in lines if line.startswith("PROBLEM")] == [
        "PROBLEM no-such-package: not installed; run `make run`"
    ]


def test_the_list_is_the_run_group_without_packages_of_some_platforms() -> None:
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]

    def requirements(group: str) -> list[Requirement]:
        found = []
        for entry in groups[group]:
            found += (
                [Requirement(entry)]
                if isinstance(entry, str)
                else requirements(entry["include-group"])
            )
        return found

    assert set(check.PACKAGES) == {r.name for r in requirements("run") if r.marker is None}


@pytest.mark.parametrize(
    ("version", "fine"), [((3, 10), False), ((3, 11), True), ((3, 14), True), ((3, 15), False)]
)
def test_make_and_check_name_the_pythons_that_the_pins_have_wheels_for(
    version: tuple[int, int], fine: bool, options: Options, monkeypatch: pytest.MonkeyPatch
) -> None:
    [test] = re.findall(r"\$\(PYTHON\) -c '(import sys; v = .*)'", (ROOT / "Makefile").read_text())
    code = test.replace("v = sys.version_info[:2]", f"v = {version}")
    assert code != test
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    monkeypatch.setattr(sys, "version_info", (*version, 0, "final", 0))
    lines, _ = check.report(options)
    [python] = [line for line in lines if " Python 3" in line]
    monkeypatch.undo()
    assert (ended.returncode == 0) == fine == python.startswith("ok")
    assert fine or "3.11 to 3.14" in ended.stderr
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert SpecifierSet(project["requires-python"]).contains(".".join(map(str, version))) == fine

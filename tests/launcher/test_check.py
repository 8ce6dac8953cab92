"""`check`: what is there and what is missing; its list is the one that `make run` installs."""

import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from launcher import check
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


def test_what_is_missing_is_named(options: Options, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check, "PACKAGES", ("pydantic", "no-such-package"))
    lines, fine = check.report(options)
    assert not fine
    assert [line for line in lines if line.startswith("MISSING")] == [
        "MISSING no-such-package: not installed; run `make run`"
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

"""The documents cannot go stale: whatever the code has, they name, and what they name exists."""

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from backend.app import create_app
from backend.auth.permissions import RULES
from backend.http.openapi import whole_document
from contract.catalogue.catalogue import LOSSES
from contract.comparison.spec import parse_spec
from contract.dataset_files import read_features, read_paired
from contract.metrics import METRICS, TEST_LAST_PREFIX, TEST_PREFIX, bare_key
from contract.names import API_PREFIX
from contract.settings import NAMES
from tests.support.plugin_entries import arm
from tests.support.plugins import entry_of, put, refs
from tests.support.specs import small
from worker.plugins.sources import Place
from worker.reporting.reporter import ListReporter
from worker.trainer.training import Training

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("contract", "backend", "worker", "frontend", "launcher")
SOURCES = (*PACKAGES, "tests", "benchmarks")
SETTING = re.compile(r"\bLOSSBOARD_[A-Z_]*[A-Z]\b")


def _text(path: str) -> str:
    return (ROOT / path).read_text()


def _code() -> Iterator[Path]:
    for folder in SOURCES:
        yield from (ROOT / folder).rglob("*.py")


def test_every_setting_of_the_code_is_documented_and_the_other_way_round() -> None:
    read = {name for path in _code() for name in SETTING.findall(path.read_text())}
    documented = set(SETTING.findall(_text("docs/SETTINGS.md")))
    assert read == documented
    assert documented == NAMES, "contract/settings.py lists each"


def test_every_metric_and_loss_is_explained() -> None:
    method = _text("docs/METHOD.md")
    keys = {re.sub(r"^(audio|visual)\.", "", bare_key(key)) for key in METRICS}
    assert [key for key in sorted(keys) if f"`{key}`" not in method] == []
    assert len(keys) == 139
    assert all(f"`{prefix}`" in method for prefix in (TEST_PREFIX, TEST_LAST_PREFIX))
    assert all(f"`{modality}.geometry.…`" in method for modality in ("audio", "visual"))
    assert [row.kind for row in LOSSES if f"| `{row.kind}` |" not in method] == []
    assert len(LOSSES) == 8


def test_no_metric_is_explained_that_does_not_exist() -> None:
    known = {*METRICS, *map(bare_key, METRICS)}
    families = "|".join(sorted({key.split(".")[0] for key in known} - {"test"}))
    named = set(re.findall(rf"`((?:{families})\.[a-z0-9_.]+)`", _text("docs/METHOD.md")))
    assert named - known == set()


def test_every_route_is_documented_and_the_other_way_round(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOSSBOARD_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("LOSSBOARD_WORKER_TOKEN", "token")
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    paths = whole_document(create_app())["paths"]
    served = {
        f"{method.upper()} {re.sub(r'{[^}]*}', '{}', path.removeprefix(API_PREFIX))}"
        for path, methods in paths.items()
        for method in methods
    }
    named = re.findall(r"^\| `([A-Z]+ /[^`]*)` \|", _text("docs/API.md"), re.MULTILINE)
    assert {re.sub(r"{[^}]*}", "{}", call) for call in named} == served
    assert len(served) == 95


def test_every_role_is_documented() -> None:
    rows = dict(
        re.findall(r"^\| `([A-Z]+ /[^`]*)` \| (\w+) \|", _text("docs/API.md"), re.MULTILINE)
    )
    documented = {re.sub(r"{[^}]*}", "{}", call): role for call, role in rows.items()}
    needed = {
        f"{rule.method} {re.sub(r'{[^}]*}', '{}', rule.route)}": rule.need
        for rule in RULES
        if rule.need != "worker"
    }
    assert documented == needed


def test_the_example_of_the_api_is_a_valid_spec() -> None:
    [body] = re.findall(r"-d '(\{.*?\})'", _text("docs/API.md"), re.DOTALL)
    assert [arm.name for arm in parse_spec(json.loads(body)).arms] == ["narrow", "wide"]


def test_the_library_example_of_the_readme_runs(capsys: pytest.CaptureFixture[str]) -> None:
    [example] = re.findall(r"```python\n(.*?)```", _text("README.md"), re.DOTALL)
    exec(compile(example, "README.md", "exec"), {})
    printed = capsys.readouterr().out
    assert "retrieval.map_at_r" in printed
    assert "PairedDifference(mean_difference=0.016" in printed


def test_every_target_stands_in_the_readme_with_its_plain_commands() -> None:
    recipes = dict(
        re.findall(r"^([\w-]+):[^\n=]*\n((?:\t[^\n]*\n)*)", _text("Makefile"), re.MULTILINE)
    )
    rows = dict(
        re.findall(r"^\| `make ([\w-]+)` \|[^|]*\| (.*) \|$", _text("README.md"), re.MULTILINE)
    )
    assert set(rows) == {
        "setup",
        "run",
        "test",
        "test-all",
        "check",
        "fix",
        "types",
        "bench",
        "bench-quick",
    }
    assert set(re.findall(r"make ([\w-]+)`", _text("README.md"))) <= set(recipes)
    for target, commands in rows.items():
        plain = {command.removesuffix(" $(ARGS)") for command in _commands(recipes[target])}
        assert {command for command in plain if f"`{command}`" not in commands} == set(), target


def _commands(recipe: str) -> Iterator[str]:
    for line in recipe.splitlines():
        yield line.strip().removeprefix("@exec ").replace("$(BIN)", ".venv/bin")


def test_the_map_for_developers_names_every_folder_and_only_what_exists() -> None:
    folders = "|".join((*PACKAGES, "tests"))
    named = set(re.findall(rf"`((?:{folders})/[^`\s]*)`", _text("docs/DEVELOPING.md")))
    assert len(named) > 80
    assert [path for path in sorted(named) if not (ROOT / path).exists()] == []
    rooms = {
        f"{path.relative_to(ROOT)}/"
        for package in PACKAGES
        for path in (ROOT / package).iterdir()
        if path.is_dir() and path.name != "__pycache__"
    }
    assert rooms - named == set()
    assert len(rooms) > 40


@pytest.mark.parametrize(
    "page", ["README.md", *sorted(p.name for p in (ROOT / "docs").glob("*.md"))]
)
def test_links_lead_somewhere(page: str) -> None:
    path = ROOT / page if page == "README.md" else ROOT / "docs" / page
    links = re.findall(r"\]\(([^)#\s]+)\)", path.read_text())
    local = [link for link in links if not link.startswith("http")]
    assert [link for link in local if not (path.parent / link).exists()] == []


def test_the_examples_of_own_data_make_files_that_are_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    examples = re.findall(r"```python\n(.*?)```", _text("docs/YOUR_DATA.md"), re.DOTALL)
    for example in examples:
        exec(compile(example, "YOUR_DATA.md", "exec"), {})
    assert len(examples) == 3
    table = read_features(tmp_path / "features.npz")
    assert (table.class_names, len(table)) == (("cat", "dog", "fox"), 300)
    assert table.fine is not None
    assert read_features(tmp_path / "features.parquet").features.shape == (300, 64)
    pairs = read_paired(tmp_path / "pairs.h5")
    assert pairs.visual is not None
    assert (pairs.features.shape, pairs.visual.shape) == ((100, 128), (100, 1024))


def test_the_example_of_a_plugin_trains(tmp_path: Path) -> None:
    [example] = re.findall(r"```python\n(.*?)```", _text("docs/PLUGINS.md"), re.DOTALL)
    [place] = [Place("file", str(put(tmp_path / "losses", "siglip", example)))]
    found = entry_of(place)
    assert (found.problem, found.notes, found.counts) == ("", [], "terms")
    assert (found.name, found.label, found.two_modalities) == ("siglip", "SigLIP", True)
    assert found.parameters["temperature"]["x-search"] == {"low": 0.01, "high": 1.0, "log": True}
    spec = parse_spec(small(arms=[arm("siglip")], training={"epochs": 2, "batch_size": 64}))
    reporter, ref = ListReporter(), refs(Path(place.where))["siglip"]
    Training(spec, spec.arms[0], 0, torch.device("cpu"), reporter, plugin=ref).run(lambda: False)
    losses = [value for _, value in reporter.series["dynamics.loss"]]
    assert losses[-1] is not None
    assert losses[0] is not None
    assert losses[-1] < losses[0]
    assert "dynamics.active_ratio.pair" in reporter.series
    [named] = re.findall(r"```json\n(.*?)```", _text("docs/PLUGINS.md"), re.DOTALL)
    assert parse_spec(small(arms=[json.loads(named)])).arms[0].loss.kind == "plugin"


def _direct() -> set[str]:
    groups = tomllib.loads(_text("pyproject.toml"))["dependency-groups"]
    return {
        canonicalize_name(Requirement(entry).name)
        for entries in groups.values()
        for entry in entries
        if isinstance(entry, str)
    }


def test_every_dependency_is_pinned_and_has_its_reason() -> None:
    lines = [line for line in _text("constraints.txt").splitlines() if not line.startswith("#")]
    pins = {canonicalize_name(Requirement(line).name): Requirement(line) for line in lines}
    assert [
        str(pin) for pin in pins.values() if not re.fullmatch(r"==[^+*]+", str(pin.specifier))
    ] == []
    assert _direct() - set(pins) == set()
    reasons = {
        canonicalize_name(name.strip())
        for row in re.findall(r"^\| ([a-z][^|]*) \|", _text("docs/DEPENDENCIES.md"), re.MULTILINE)
        for name in row.split(",")
    } - {"package"}
    assert reasons == _direct()


def test_the_version_is_in_the_changelog() -> None:
    version = tomllib.loads(_text("pyproject.toml"))["project"]["version"]
    assert re.search(rf"^## {re.escape(version)}$", _text("CHANGELOG.md"), re.MULTILINE)


def test_one_version_of_pip_everywhere() -> None:
    found = {
        version
        for path in ("Makefile", "Dockerfile", "README.md")
        for version in re.findall(r"(?:pip==|PIP_VERSION := )([0-9.]+)", _text(path))
    }
    assert len(found) == 1

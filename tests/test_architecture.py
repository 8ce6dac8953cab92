"""The staircase of imports holds, by the linter's reading and by what is really loaded."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
GENERATED = Path("frontend/api/types.py")
FOLDERS = ("contract", "backend", "worker", "frontend", "launcher")


def test_the_import_contracts_hold() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    ended = subprocess.run(
        [linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "Contracts: 10 kept, 0 broken." in ended.stdout


@pytest.mark.parametrize(
    ("module", "unwanted"),
    [
        ("backend.app", ("torch", "streamlit", "worker", "optuna")),
        ("backend.datasets.check_process", ("fastapi", "sqlalchemy", "redis", "celery")),
        ("worker.celery_app", ("torch", "sqlalchemy", "backend", "streamlit")),
        ("contract.catalogue.catalogue", ("torch", "celery", "fastapi", "sqlalchemy", "redis")),
        ("frontend.cli.__main__", ("streamlit", "contract", "backend", "worker")),
        ("launcher.__main__", ("torch", "celery", "fastapi", "contract", "backend", "worker")),
    ],
)
def test_a_process_loads_only_what_is_its_own(module: str, unwanted: tuple[str, ...]) -> None:
    program = f"import sys, {module}; print(*[n for n in {unwanted!r} if n in sys.modules])"
    environment = {
        "LOSSBOARD_WORKER_TOKEN": "token",
        "LOSSBOARD_API_URL": "http://127.0.0.1:1",
        "REDIS_URL": "redis://127.0.0.1:1/0",
    }
    ended = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.strip() == ""


def test_modules_have_a_size_that_can_be_read_at_one_sitting() -> None:
    sizes = {
        path.relative_to(ROOT): len(path.read_text().splitlines())
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*.py")
    }
    assert len(sizes) > 50
    assert sizes.pop(GENERATED) > 0
    assert {path: size for path, size in sizes.items() if size > 500} == {}


def test_few_modules_lie_on_top_of_a_package() -> None:
    tops = {
        folder: len([one for one in (ROOT / folder).glob("*.py") if one.name != "__init__.py"])
        for folder in FOLDERS
    }
    assert {folder: count for folder, count in tops.items() if count > 6} == {}


def test_no_import_hides_in_a_function() -> None:
    hidden = re.compile(r"^\s+(?:from|import) (?:contract|backend|worker|frontend|launcher)\b")
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*.py")
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if hidden.match(line)
    ]
    assert found == []

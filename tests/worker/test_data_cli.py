"""`python -m worker.data`: what there is, and fetching it before a run needs it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from contract.catalogue_data import DATA
from tests.support import tiny_fine_grained as tiny
from tests.support import tiny_mnist, tiny_spoken
from worker.data.cli import main
from worker.data.presence import PLACES


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LOSSBOARD_DATASETS_DIR", str(tmp_path / "datasets"))
    return tmp_path / "datasets"


def test_every_set_with_files_has_its_place() -> None:
    assert {row.kind for row in DATA if row.source in {"fetched", "placed"}} == set(PLACES)


def test_the_list_names_every_set_and_whether_it_is_there(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tiny_mnist.write(folder)
    assert main(["list"]) == 0
    first, *lines = capsys.readouterr().out.splitlines()
    assert str(folder) in first
    assert [line.split()[0] for line in lines] == [row.kind for row in DATA]
    states = {line.split()[0]: line for line in lines}
    assert "  there " in states["mnist"]
    assert "not there" in states["cub200"]
    assert "CUB-200-2011" in states["cub200"]
    assert "bundled" in states["digits"]
    assert "yours" in states["image_folder"]


def test_prepare_takes_an_archive_from_anywhere_and_says_what_it_holds(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tiny.write(tmp_path / "scratch", tiny.tiny_imagenet())
    archive = tiny.packed(tmp_path / "scratch", tmp_path / "downloads" / "mine.zip")
    assert main(["prepare", "tiny_imagenet", "--archive", str(archive)]) == 0
    said = capsys.readouterr()
    assert said.err.splitlines()[0] == "unpacking mine.zip"
    assert said.out == (
        "Tiny-ImageNet: 80 items of 8 classes; train / validation / test 30 / 10 / 40, "
        "split by class\n"
    )
    assert archive.is_file()
    assert (folder / "tiny-imagenet-200" / "wnids.txt").is_file()


def test_prepare_says_what_a_set_holds(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tiny_mnist.write(folder)
    assert main(["prepare", "mnist"]) == 0
    assert capsys.readouterr().out.startswith("MNIST: 700 items of 10 classes; train / val")
    tiny_spoken.write(folder)
    assert main(["prepare", "spoken_digits"]) == 0
    assert "200 items of 10 classes" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["prepare", "nothing"], 2, "there is no data set 'nothing'; known are digits, synthetic"),
        (["prepare", "digits"], 2, "needs no preparation: it comes with the product"),
        (["prepare", "features"], 2, "needs no preparation: it is named in a comparison"),
        (["prepare", "cub200", "--archive", "/nowhere.tgz"], 2, "there is no file /nowhere.tgz"),
        (["prepare", "mnist", "--archive", __file__], 2, "takes no --archive"),
        (["prepare", "cub200", "--archive", __file__], 1, "is damaged"),
        (["prepare", "cars196"], 1, "its host is gone"),
    ],
)
def test_what_cannot_be_done_is_said(
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    code: int,
    said: str,
) -> None:
    assert main(arguments) == code
    assert said in capsys.readouterr().err


def test_it_runs_as_a_command(folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "worker.data", "list"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "LOSSBOARD_DATASETS_DIR": str(folder)},
    )
    assert len(done.stdout.splitlines()) == 1 + len(DATA)
    wrong = subprocess.run([sys.executable, "-m", "worker.data"], capture_output=True, check=False)
    assert wrong.returncode == 2

"""`python -m worker.data`: listing data sets, and fetching one before a run needs it."""

import io
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from contract.catalogue.datasets import DATA, DataRow
from tests.support import tiny_fine_grained as tiny
from tests.support import tiny_mnist, tiny_spoken
from tests.support.file_server import serving
from worker.data.cli import ProgressLine, main
from worker.data.loaders import cub200
from worker.data.sources.locations import LOCATIONS, state
from worker.reporting.progress import Progress

Said = pytest.CaptureFixture[str]

FINE: dict[str, Callable[[], dict[str, str | bytes]]] = {
    "cub200": tiny.cub200,
    "sop": tiny.sop,
    "tiny_imagenet": tiny.tiny_imagenet,
    "cars196": tiny.cars196,
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LOSSBOARD_DATASETS_DIR", str(tmp_path / "datasets"))
    return tmp_path / "datasets"


def tree(folder: Path) -> set[str]:
    """Return every file except locks, which are never removed."""
    found = (path for path in folder.rglob("*") if not path.is_dir() or path.is_symlink())
    return {str(path.relative_to(folder)) for path in found if path.suffix != ".lock"}


def archive_of(kind: str, tmp_path: Path, name: str) -> Path:
    tiny.write(tmp_path / "scratch", FINE[kind]())
    return tiny.pack(tmp_path / "scratch", tmp_path / "downloads" / name)


class TestList:
    def lines(self, capsys: Said) -> dict[str, str]:
        assert main(["list"]) == 0
        head, columns, *lines = capsys.readouterr().out.splitlines()
        assert head.startswith("Data sets in ")
        assert columns.split() == ["kind", "label", "there", "size", "where"]
        return {line.split()[0]: line for line in lines}

    def test_lists_every_data_set_in_the_order_of_the_catalogue(
        self, folder: Path, capsys: Said
    ) -> None:
        lines = self.lines(capsys)
        assert list(lines) == [row.kind for row in DATA]
        for row in DATA:
            assert row.label in lines[row.kind]
            assert row.size in lines[row.kind]
            words = lines[row.kind].removeprefix(row.kind).strip().removeprefix(row.label).split()
            assert words[0] == ("no" if row.kind in LOCATIONS else row.source)
        assert lines["cub200"].endswith(" CUB_200_2011")
        assert not folder.exists()

    def test_says_which_data_sets_are_there(self, folder: Path, capsys: Said) -> None:
        tiny_mnist.write(folder)
        tiny.write(folder, {"CUB_200_2011.tgz": b"placed", **tiny.cars196_devkit()})
        lines = self.lines(capsys)
        assert " yes " in lines["mnist"]
        assert " partly " in lines["cub200"]
        assert " yes " in lines["cars196"]
        assert lines["cars196"].endswith(" stanford_cars")
        assert " no " in lines["sop"]


class TestPlaces:
    def test_every_data_set_with_files_has_a_location(self) -> None:
        assert {row.kind for row in DATA if row.source in {"fetched", "placed"}} == set(LOCATIONS)

    @pytest.mark.parametrize("kind", FINE)
    def test_a_data_set_is_there_only_with_all_its_files(self, kind: str, folder: Path) -> None:
        assert state(kind, folder)[0] == "no"
        tiny.write(folder, FINE[kind]())
        there, place = state(kind, folder)
        assert there == "yes"
        for piece in place.pieces:
            path = folder / place.path / piece
            path.rename(folder / "aside")
            assert state(kind, folder)[0] == "partly"
            (folder / "aside").rename(path)

    def test_spoken_digits_need_mnist_too(self, folder: Path) -> None:
        tiny_mnist.write(folder)
        assert state("spoken_digits", folder)[0] == "no"
        tiny_spoken.write(folder)
        assert state("spoken_digits", folder)[0] == "yes"
        (tiny_mnist.raw(folder) / "t10k-labels-idx1-ubyte").unlink()
        assert state("spoken_digits", folder)[0] == state("mnist", folder)[0] == "partly"


class TestPrepare:
    @pytest.mark.parametrize("name", ["tiny-imagenet-200.zip", "tiny (1).zip"])
    def test_reads_an_archive_in_place(
        self, folder: Path, tmp_path: Path, capsys: Said, name: str
    ) -> None:
        archive = archive_of("tiny_imagenet", tmp_path, name)
        assert main(["prepare", "tiny_imagenet", "--archive", str(archive)]) == 0
        said = capsys.readouterr()
        assert said.err.startswith("unpacking tiny-imagenet-200.zip")
        assert said.out == (
            f"Tiny-ImageNet is in {folder / 'tiny-imagenet-200'}\n"
            "  80 items, 8 classes, split by class\n"
            "  train            20 items of      2 classes\n"
            "  validation       20 items of      2 classes\n"
            "  test             40 items of      4 classes\n"
        )
        assert archive.is_file()
        assert {path.name for path in folder.iterdir() if path.suffix != ".lock"} == {
            "tiny-imagenet-200"
        }
        assert main(["prepare", "tiny_imagenet", "--archive", str(archive)]) == 0
        assert "there already; --archive is not used" in capsys.readouterr().err

    def test_uses_an_archive_in_the_folder_of_data_sets(self, folder: Path, tmp_path: Path) -> None:
        archive = archive_of("cub200", tmp_path, "CUB_200_2011.tgz")
        folder.mkdir()
        placed = Path(shutil.copy(archive, folder))
        assert main(["prepare", "cub200", "--archive", str(archive)]) == 2
        assert main(["prepare", "cub200", "--archive", str(placed)]) == 0
        assert placed.is_file()

    def test_downloads_with_progress(
        self, folder: Path, tmp_path: Path, capsys: Said, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        archive = archive_of("cub200", tmp_path, "CUB_200_2011.tgz")
        with serving(archive.parent) as server:
            source = replace(cub200.SOURCE, urls=(f"{server.url}/{archive.name}",), md5=None)
            monkeypatch.setattr(cub200, "SOURCE", source)
            assert main(["prepare", "cub200"]) == 0
        said = capsys.readouterr()
        assert said.err.startswith("downloading CUB_200_2011.tgz\nunpacking CUB_200_2011.tgz")
        assert "80 items, 8 classes" in said.out

    def test_takes_several_archives(self, folder: Path, tmp_path: Path, capsys: Said) -> None:
        tiny_mnist.write_archives(tmp_path)
        given = [
            word
            for archive in sorted(tiny_mnist.raw(tmp_path).glob("*.gz"))
            for word in ("--archive", str(archive))
        ]
        assert main(["prepare", "mnist", *given]) == 0
        assert "700 items, 10 classes, split by item" in capsys.readouterr().out
        assert len(tree(folder)) == 4
        assert not any(name.endswith(".gz") for name in tree(folder))

    def test_takes_the_recordings_of_spoken_digits(
        self, folder: Path, tmp_path: Path, capsys: Said
    ) -> None:
        tiny_mnist.write(folder)
        archive = tmp_path / "v1.0.10.tar.gz"
        tiny_spoken.write_archive(archive, tmp_path / "scratch")
        assert main(["prepare", "spoken_digits", "--archive", str(archive)]) == 0
        assert "200 items, 10 classes, split by item" in capsys.readouterr().out
        assert archive.is_file()

    def test_takes_the_images_of_cars(self, folder: Path, tmp_path: Path, capsys: Said) -> None:
        files = tiny.cars196()
        tiny.write(folder, {"cars196/cars_annos.mat": files.pop("cars196/cars_annos.mat")})
        tiny.write(tmp_path / "scratch", files)
        archive = tiny.pack(tmp_path / "scratch" / "cars196", tmp_path / "car_ims.tgz")
        assert main(["prepare", "cars196", "--archive", str(archive)]) == 0
        assert "80 items, 8 classes" in capsys.readouterr().out

    @pytest.mark.parametrize("damage", [slice(0, -2000), slice(0, 0), slice(100, None)])
    def test_a_damaged_archive_is_named_and_leaves_nothing(
        self, folder: Path, tmp_path: Path, capsys: Said, damage: slice
    ) -> None:
        archive = archive_of("cub200", tmp_path, "birds.tgz")
        archive.write_bytes(archive.read_bytes()[damage])
        assert main(["prepare", "cub200", "--archive", str(archive)]) == 1
        assert f"{archive} is damaged" in capsys.readouterr().err
        assert tree(folder) == set()

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (["bundled"], "there is no data set 'bundled'; known are digits, synthetic, mnist"),
            (["cub200", "--archive", "/nowhere.tgz"], "there is no file /nowhere.tgz"),
            (
                ["mnist", "--archive", __file__],
                "is not an archive of mnist, which has train-images",
            ),
            (["digits", "--archive", __file__], "takes no --archive: it comes with the product"),
        ],
    )
    def test_arguments_that_make_no_sense_are_refused(
        self, folder: Path, capsys: Said, arguments: list[str], said: str
    ) -> None:
        assert main(["prepare", *arguments]) == 2
        assert said in capsys.readouterr().err
        assert not folder.exists()

    @pytest.mark.parametrize("row", [row for row in DATA if row.kind not in LOCATIONS], ids=str)
    def test_a_data_set_without_files_needs_no_preparation(
        self, folder: Path, capsys: Said, row: DataRow
    ) -> None:
        assert main(["prepare", row.kind]) == 0
        assert capsys.readouterr().out.startswith(f"{row.kind} needs no preparation: it ")

    def test_missing_files_that_cannot_be_downloaded_are_named(
        self, folder: Path, capsys: Said
    ) -> None:
        assert main(["prepare", "cars196"]) == 1
        said = capsys.readouterr().err
        assert "its host is gone" in said
        assert str(folder / "cars196" / "cars_annos.mat") in said

    def test_an_interrupt_leaves_nothing(
        self, folder: Path, tmp_path: Path, capsys: Said, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def interrupted(self: object, what: str, *_: object) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr(ProgressLine, "__call__", interrupted)
        archive = archive_of("cub200", tmp_path, "CUB_200_2011.tgz")
        assert main(["prepare", "cub200", "--archive", str(archive)]) == 130
        assert "nothing half done is left" in capsys.readouterr().err
        assert tree(folder) == set()


def test_it_runs_as_a_command(folder: Path) -> None:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "worker.data", *arguments],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "LOSSBOARD_DATASETS_DIR": str(folder)},
        )

    listed = run("list")
    assert listed.returncode == 0, listed.stderr
    assert len(listed.stdout.splitlines()) == 2 + len(DATA)
    assert run("prepare", "cars196").returncode == 1


def test_without_a_command_it_says_how_to_call_it(capsys: Said) -> None:
    with pytest.raises(SystemExit) as caught:
        main([])
    assert caught.value.code == 2
    assert "list|prepare" in capsys.readouterr().err


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class TestProgressLine:
    def reported(self, out: io.StringIO) -> str:
        clock = iter([100.0, 100.05, 100.2, 111.0, 111.01])
        with ProgressLine(out, clock=lambda: next(clock)) as line:
            progress: Progress = line
            for done in (0, 1e6, 5e6, 10e6):
                progress("downloading x", done, 10e6, "bytes")
            progress("reading", 30, None, "images")
        return out.getvalue()

    def test_a_terminal_has_one_line(self) -> None:
        assert self.reported(Terminal()).split("\r\x1b[K") == [
            "",
            "downloading x",
            "downloading x: 50% of 10 MB",
            "downloading x: 100% of 10 MB",
            "reading: 30 images",
            "",
        ]

    def test_a_log_gets_a_line_every_few_seconds(self) -> None:
        assert self.reported(io.StringIO()).splitlines() == [
            "downloading x",
            "downloading x: 100% of 10 MB",
            "reading: 30 images",
        ]

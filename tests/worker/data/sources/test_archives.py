"""Unpacking archives from untrusted sources: completely or not at all, and only into the folder."""

import gzip
import io
import stat
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.recorded_progress import RecordedProgress
from worker.data.sources import archives
from worker.data.sources.archives import gunzip, unpack
from worker.errors import CancelledError, DataError
from worker.reporting.progress import SILENT

LIMIT = 2**24
FILES = {"set/a.txt": b"one", "set/deep/er/b.bin": bytes(range(256)) * 8192, "set/empty": b""}


def tar(*members: tarfile.TarInfo, files: dict[str, bytes] = FILES, mode: str = "w:gz") -> bytes:
    """Return a tar of files, and of further members without content."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as made:  # type: ignore[call-overload]
        folder = tarfile.TarInfo("set")
        folder.type = tarfile.DIRTYPE
        made.addfile(folder)
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            made.addfile(member, io.BytesIO(content))
        for member in members:
            made.addfile(member)
    return out.getvalue()


def zipped(*members: tuple[zipfile.ZipInfo, bytes]) -> bytes:
    """Return a zip of the files, and of further members."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        made.mkdir("set")
        for name, content in FILES.items():
            made.writestr(name, content)
        for member, content in members:
            made.writestr(member, content)
    return out.getvalue()


def special(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, target
    return member


def zip_link() -> tuple[zipfile.ZipInfo, bytes]:
    member = zipfile.ZipInfo("set/link")
    member.external_attr = (stat.S_IFLNK | 0o777) << 16
    return member, b"/etc/passwd"


class Place:
    """An archive, the folder it is unpacked into, and the files around it."""

    def __init__(self, folder: Path) -> None:
        self.archive, self.into = folder / "a.archive", folder / "in" / "to"

    def unpack(self, content: bytes, limit: int = LIMIT) -> dict[str, bytes]:
        self.archive.write_bytes(content)
        unpack(self.archive, self.into, limit=limit, progress=SILENT)
        return {
            path.relative_to(self.into).as_posix(): path.read_bytes()
            for path in self.into.rglob("*")
            if path.is_file()
        }

    def clean(self) -> bool:
        """Whether nothing was left but the archive."""
        files = {path for path in self.archive.parent.rglob("*") if not path.is_dir()}
        return files == {self.archive} and not list(self.into.parent.glob("*"))


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


@pytest.mark.parametrize("made", [tar, lambda: tar(mode="w"), zipped], ids=["tar.gz", "tar", "zip"])
def test_files_are_unpacked_unchanged(place: Place, made: Callable[[], bytes]) -> None:
    assert place.unpack(made()) == FILES
    assert list(place.into.parent.iterdir()) == [place.into]
    assert place.archive.exists()


@pytest.mark.parametrize("made", [tar, zipped])
def test_progress_is_reported_and_a_cancel_leaves_nothing(
    place: Place, made: Callable[[], bytes]
) -> None:
    place.archive.write_bytes(made())
    with pytest.raises(CancelledError):
        unpack(
            place.archive, place.into, limit=LIMIT, progress=RecordedProgress(cancel="unpacking")
        )
    assert place.clean()
    reported = RecordedProgress()
    unpack(place.archive, place.into, limit=LIMIT, progress=reported)
    size = place.archive.stat().st_size
    calls = reported.of("unpacking a.archive")
    assert len(calls) == len(reported.calls) > 1
    assert all(0 < done <= size for done, *_ in calls)
    assert {call[1:] for call in calls} == {(size, "bytes")}


@pytest.mark.parametrize(
    ("content", "seen"),
    [
        (tar(files={"../out": b"x"}), "leads out"),
        (tar(files={"set/../../out": b"x"}), "leads out"),
        (tar(files={"/out": b"x"}), "leads out"),
        (tar(files={"set\\..\\out": b"x"}), "leads out"),
        (zipped((zipfile.ZipInfo("../out"), b"x")), "leads out"),
        (zipped((zipfile.ZipInfo("/out"), b"x")), "leads out"),
        (tar(special("set/link", tarfile.SYMTYPE, "/etc/passwd")), "a link"),
        (tar(special("set/link", tarfile.SYMTYPE, "a.txt")), "a link"),
        (tar(special("set/link", tarfile.LNKTYPE, "set/a.txt")), "a link"),
        (tar(special("set/pipe", tarfile.FIFOTYPE)), "a link"),
        (tar(special("set/disk", tarfile.BLKTYPE)), "a link"),
        (zipped(zip_link()), "a link"),
        (tar(files={"a": b"1", "./a": b"2"}), "twice"),
        (tar(files={"a": b"1", "a/b": b"2"}), "inside a file"),
    ],
)
def test_unsafe_members_are_refused(place: Place, content: bytes, seen: str) -> None:
    with pytest.raises(DataError, match=f"{place.archive} is refused.*{seen}"):
        place.unpack(content)
    assert place.clean()


@pytest.mark.parametrize("made", [tar, zipped])
def test_more_bytes_than_allowed_are_refused(place: Place, made: Callable[[], bytes]) -> None:
    with pytest.raises(DataError, match=r"is refused: .*unpacks to .*2,000,000"):
        place.unpack(made(), limit=2_000_000)
    assert place.clean()


def test_a_bomb_is_stopped_at_the_limit(place: Place) -> None:
    bomb = gzip.compress(bytes(2**26))
    for content in (bomb, tar(files={"a": bytes(2**26)})):
        with pytest.raises(DataError, match="is refused"):
            place.unpack(content, limit=2**20)
        assert place.clean()


def test_a_zip_that_lies_about_its_sizes_is_refused(place: Place) -> None:
    """Its list declares 3 bytes for a file of 2,000,000."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("a", bytes(2_000_000))
        made.filelist[0].file_size = 3
    with pytest.raises(DataError, match="damaged"):
        place.unpack(out.getvalue(), limit=1000)
    assert place.clean()


def test_too_many_files_are_refused(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MAX_ENTRIES", 2)
    for content in (tar(), zipped()):
        with pytest.raises(DataError, match="more than 2 files"):
            place.unpack(content)
        assert place.clean()


@pytest.mark.parametrize("made", [tar, lambda: tar(mode="w"), zipped], ids=["gz", "tar", "zip"])
@pytest.mark.parametrize("part", [slice(0, 700), slice(0, -700), slice(0, 0), slice(1, None)])
def test_a_truncated_archive_is_damaged(
    place: Place, made: Callable[[], bytes], part: slice
) -> None:
    content = made().rstrip(b"\0")  # a plain tar ends in thousands of them
    with pytest.raises(DataError, match=f"{place.archive} is damaged"):
        place.unpack(content[part])
    assert place.clean()


def test_changed_bytes_are_noticed(place: Place) -> None:
    for content, at in ((tar(), -6), (zipped(), 200)):
        changed = bytearray(content)
        changed[at] ^= 0x55
        with pytest.raises(DataError, match=f"{place.archive} is damaged"):
            place.unpack(bytes(changed))
        assert place.clean()


def test_leftovers_are_removed_and_existing_files_kept(place: Place) -> None:
    left = place.into.with_name("to.partial")
    left.mkdir(parents=True)
    (left / "half").touch()
    assert place.unpack(tar()) == FILES
    assert not left.exists()
    with pytest.raises(FileExistsError, match="is there already"):
        place.unpack(tar())
    assert (place.into / "set/a.txt").read_bytes() == b"one"


class TestOneFile:
    def test_is_unpacked_with_progress(self, tmp_path: Path) -> None:
        archive, target, reported = tmp_path / "a.gz", tmp_path / "a", RecordedProgress()
        archive.write_bytes(gzip.compress(b"new"))
        target.write_bytes(b"old")
        gunzip(archive, target, limit=3, progress=reported)
        assert target.read_bytes() == b"new"
        assert {call[0] for call in reported.calls} == {"unpacking a.gz"}

    @pytest.mark.parametrize(
        "content",
        [b"", b"rubbish", gzip.compress(b"four"), gzip.compress(b"new")[:-1]],
        ids=["empty", "rubbish", "large", "truncated"],
    )
    def test_a_failure_keeps_the_old_file(self, tmp_path: Path, content: bytes) -> None:
        archive, target = tmp_path / "a.gz", tmp_path / "a"
        archive.write_bytes(content)
        target.write_bytes(b"old")
        with pytest.raises(DataError, match=f"{archive} is (damaged|refused)"):
            gunzip(archive, target, limit=3, progress=SILENT)
        archive.write_bytes(gzip.compress(b"new"))
        with pytest.raises(CancelledError):
            gunzip(archive, target, limit=3, progress=RecordedProgress(cancel="unpacking"))
        assert target.read_bytes() == b"old"
        assert set(tmp_path.iterdir()) == {archive, target}

"""Zips of class folders: which are unpacked, and which are refused with nothing left behind."""

import stat
import struct
from pathlib import Path

import numpy as np
import pytest

from contract.dataset_files import IntakeError, Limits, unpack_images
from tests.support.tiny_sets import Files, found, image, image_files, refusal, tree, zipped

LIMITS = Limits()


def refused(archive: Path, limits: Limits = LIMITS) -> IntakeError:
    return refusal(lambda: unpack_images(archive, archive.parent / "set", limits), archive.parent)


def patched(archive: Path, name: str, local: int, central: int, value: bytes) -> Path:
    """Overwrite a field in both headers of one member of a zip."""
    content = bytearray(archive.read_bytes())
    for magic, field, at in ((b"PK\x03\x04", local, 30), (b"PK\x01\x02", central, 46)):
        start = -1
        while (start := content.find(magic, start + 1)) >= 0:
            if content[start + at : start + at + len(name)] == name.encode():
                content[start + field : start + field + len(value)] = value
    archive.write_bytes(content)
    return archive


def declaring(archive: Path, name: str, size: int) -> Path:
    return patched(archive, name, 22, 24, struct.pack("<I", size))


def test_class_folders_are_unpacked_and_listed(tmp_path: Path) -> None:
    files = image_files()
    reported: list[tuple[int, int]] = []
    archive = zipped(tmp_path / "a.zip", files)
    images = unpack_images(
        archive, tmp_path / "set", LIMITS, lambda done, of: reported.append((done, of))
    )
    assert images.files == tuple(sorted(files))
    assert images.class_names == ("c0", "c1", "c2")
    assert images.labels.dtype == np.int64
    assert images.labels.tolist() == [0] * 4 + [1] * 4 + [2] * 4
    assert images.root == tmp_path / "set"
    assert images.warnings == ()
    assert {name: (images.root / name).read_bytes() for name in images.files} == files
    assert reported == [(n, 12) for n in range(1, 13)]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.zip", "set"]


def test_a_single_folder_around_the_classes_is_removed(tmp_path: Path) -> None:
    files = {f"my set/{name}": content for name, content in image_files().items()}
    files |= {"my set/": b"", "__MACOSX/my set/c0/._0.jpg": b"x", "my set/.DS_Store": b"x"}
    images = unpack_images(zipped(tmp_path / "a.zip", files), tmp_path / "set", LIMITS)
    assert images.class_names == ("c0", "c1", "c2")
    assert [(w.where, w.message) for w in images.warnings] == [
        ("", "passed over 2 hidden or system files"),
        ("", "everything is in the folder my set; the classes are the folders in it"),
    ]
    assert tree(tmp_path / "set") == sorted([*image_files(), "c0", "c1", "c2"])


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("../evil.jpg", "leads out of the archive"),
        ("c0/../../evil.jpg", "leads out of the archive"),
        ("/etc/evil.jpg", "absolute path"),
        ("C:/evil.jpg", "absolute path"),
        ("C:\\evil.jpg", "absolute path"),
        ("\\\\server\\evil.jpg", "absolute path"),
        ("c0\\..\\..\\evil.jpg", "leads out of the archive"),
        ("c0/" + "x" * 300 + ".jpg", "more than 255 bytes"),
    ],
)
def test_names_that_lead_out_of_the_folder_are_refused(
    tmp_path: Path, name: str, said: str
) -> None:
    home = tmp_path / "a" / "b"
    home.mkdir(parents=True)
    archive = zipped(home / "a.zip", {**image_files(), name: image(999)})
    before = tree(tmp_path)
    problems = found(refused(archive))
    assert list(problems) == [name.replace("\\", "/")]
    assert said in problems[name.replace("\\", "/")]
    assert tree(tmp_path) == before


@pytest.mark.parametrize("mode", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFIFO])
def test_links_and_devices_are_refused(tmp_path: Path, mode: int) -> None:
    files = {**image_files(), "c0/link.jpg": b"/etc/passwd"}
    problems = found(refused(zipped(tmp_path / "a.zip", files, {"c0/link.jpg": mode})))
    assert problems == {"c0/link.jpg": "is a link or a device, no file; pack the file itself"}


def test_every_unsafe_member_is_named_at_once(tmp_path: Path) -> None:
    files = {**image_files(), "../a.jpg": b"", "/b.jpg": b"", "c0/l.jpg": b"x"}
    error = refused(zipped(tmp_path / "a.zip", files, {"c0/l.jpg": stat.S_IFLNK}))
    assert set(found(error)) == {"../a.jpg", "/b.jpg", "c0/l.jpg"}


def test_a_bomb_with_its_declared_size_is_refused(tmp_path: Path) -> None:
    files = {**image_files(), "c0/bomb.bmp": bytes(20_000_000)}
    archive = zipped(tmp_path / "a.zip", files)
    assert archive.stat().st_size < 100_000
    problems = found(refused(archive, Limits(max_bytes=1_000_000)))
    assert "more than 1,000,000; upload less" in problems[""]


@pytest.mark.parametrize("declared", [10, 30_000_000])
def test_a_bomb_with_a_wrong_declared_size_is_refused(tmp_path: Path, declared: int) -> None:
    """No more than the declared bytes are unpacked, and these do not match the checksum."""
    archive = zipped(tmp_path / "a.zip", {**image_files(), "c0/bomb.bmp": bytes(20_000_000)})
    problems = found(refused(declaring(archive, "c0/bomb.bmp", declared)))
    assert list(problems) == ["c0/bomb.bmp"]
    assert "is damaged in the archive" in problems["c0/bomb.bmp"]


def test_too_many_files_are_refused(tmp_path: Path) -> None:
    error = refused(zipped(tmp_path / "a.zip", image_files()), Limits(max_files=11))
    assert found(error) == {"": "has 12 files, more than 11; bring fewer"}


def test_an_encrypted_member_is_refused(tmp_path: Path) -> None:
    archive = patched(zipped(tmp_path / "a.zip", image_files()), "c1/2.jpg", 6, 8, b"\x01\x00")
    assert found(refused(archive)) == {"c1/2.jpg": "is encrypted; pack without a password"}


def test_an_unknown_compression_is_refused(tmp_path: Path) -> None:
    archive = patched(zipped(tmp_path / "a.zip", image_files()), "c1/2.jpg", 8, 10, b"\x0e\x00")
    assert "pack with deflate" in found(refused(archive))["c1/2.jpg"]


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9, 0.999])
def test_a_truncated_archive_is_refused(tmp_path: Path, share: float) -> None:
    content = zipped(tmp_path / "a.zip", image_files()).read_bytes()
    (tmp_path / "a.zip").write_bytes(content[: int(len(content) * share)])
    assert "is not a complete zip archive" in found(refused(tmp_path / "a.zip"))[""]


def test_a_missing_archive_is_refused(tmp_path: Path) -> None:
    assert "No such file" in found(refused(tmp_path / "a.zip"))[""]


def test_a_damaged_member_is_named(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "a.zip", image_files())
    content = bytearray(archive.read_bytes())
    at = content.find(b"c1/2.jpg") + 200
    content[at : at + 20] = bytes(20)
    archive.write_bytes(content)
    assert "is damaged in the archive" in found(refused(archive))["c1/2.jpg"]


def test_any_byte_may_be_damaged(tmp_path: Path) -> None:
    """Damage anywhere gives the images or an IntakeError, and leaves nothing behind."""
    rng = np.random.default_rng(0)
    whole = zipped(tmp_path / "a.zip", image_files(2, 2)).read_bytes()
    refusals = 0
    for _ in range(150):
        content = bytearray(whole)
        for at in rng.integers(0, len(content), 3):
            content[at] = rng.integers(0, 256)
        (tmp_path / "b.zip").write_bytes(content)
        try:
            unpack_images(tmp_path / "b.zip", tmp_path / "set", LIMITS)
        except IntakeError:
            refusals += 1
        else:
            for path in sorted((tmp_path / "set").rglob("*"), reverse=True):
                path.unlink() if path.is_file() else path.rmdir()
            (tmp_path / "set").rmdir()
        assert tree(tmp_path) == ["a.zip", "b.zip"]
    assert refusals > 100


def test_zips_in_zips_are_not_opened(tmp_path: Path) -> None:
    inner = zipped(tmp_path / "inner.zip", image_files()).read_bytes()
    problems = found(refused(zipped(tmp_path / "a.zip", {**image_files(), "c0/in.zip": inner})))
    assert problems == {
        "c0/in.zip": "is not an image that can be read; JPEG, PNG, WebP and BMP can"
    }


def test_a_name_of_both_a_file_and_a_folder_is_refused(tmp_path: Path) -> None:
    files: Files = {**image_files(), "c0/0.jpg/x.jpg": image(50), "c1": b"x"}
    assert set(found(refused(zipped(tmp_path / "a.zip", files)))) == {"c0/0.jpg/x.jpg", "c1"}


def test_an_archive_without_files_is_refused(tmp_path: Path) -> None:
    assert "holds no files" in found(refused(zipped(tmp_path / "a.zip", {"c0/": b""})))[""]


def test_problems_of_the_images_are_those_of_a_folder_and_leave_nothing(tmp_path: Path) -> None:
    files = {**image_files(), "c0/bad.jpg": b"no image", "loose.jpg": b"", "c2/x/1.jpg": image(7)}
    problems = found(refused(zipped(tmp_path / "a.zip", files)))
    assert set(problems) == {"c0/bad.jpg", "loose.jpg", "c2/x"}


def test_a_cancelled_check_leaves_nothing(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "a.zip", image_files())

    def cancelled(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        unpack_images(archive, tmp_path / "set", LIMITS, cancelled)
    assert tree(tmp_path) == ["a.zip"]

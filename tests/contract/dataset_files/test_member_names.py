"""Names in zips that other systems made: how they are read, and what is passed over around them."""

import struct
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from contract.dataset_files import IntakeError, unpack_images
from contract.dataset_files.member_names import guess_codec
from contract.dataset_files.problems import ImageSet
from tests.support.tiny_sets import found, image, refusal, zipped

GUESS = "does not say how its names are written; they were read as "


def class_files(names: Sequence[str], prefix: str = "", each: int = 2) -> dict[str, bytes]:
    """Return class folders of these names with images, each of another content."""
    return {
        f"{prefix}{name}/{number}.jpg": image(10 * place + number)
        for place, name in enumerate(names)
        for number in range(each)
    }


def raw_zip(path: Path, files: Mapping[bytes, bytes], extra: Mapping[bytes, bytes]) -> Path:
    """Write a zip whose names are these bytes, without the mark for UTF-8."""
    content, listed = b"", b""
    for name, data in files.items():
        field = extra.get(name, b"")
        facts = struct.pack("<IIIHH", zlib.crc32(data), len(data), len(data), len(name), len(field))
        start = struct.pack("<HHHHH", 20, 0, 0, 0, 0x5A21) + facts
        listed += b"PK\x01\x02\x14\x00" + start + struct.pack("<HHHII", 0, 0, 0, 0, len(content))
        listed += name + field
        content += b"PK\x03\x04" + start + name + field + data
    end = struct.pack("<HHHHIIH", 0, 0, len(files), len(files), len(listed), len(content), 0)
    path.write_bytes(content + listed + b"PK\x05\x06" + end)
    return path


def unpacked(folder: Path, names: Sequence[str], codec: str) -> ImageSet:
    files = {name.encode(codec): content for name, content in class_files(names).items()}
    return unpack_images(raw_zip(folder / "a.zip", files, {}), folder / "set")


@pytest.mark.parametrize(
    ("names", "codec", "guessed"),
    [
        (["Cafe\u0301", "日本"], "utf-8", ""),  # macOS
        (["あ" * 80, "い" * 80], "utf-8", ""),  # 240 bytes; as CP437 they would be 480
        (["靴", "帽子", "手袋"], "cp932", "Shift-JIS"),
        (["ソファ", "表", "十"], "cp932", "Shift-JIS"),  # bytes of these are backslashes
        (["ｶﾒﾗ", "ﾚﾝｽﾞ"], "cp932", "Shift-JIS"),
        (["Mütze", "Schuh", "Gürtel"], "cp437", "CP437"),
        (["schön", "groß", "Öl"], "cp437", "CP437"),
    ],
)
def test_names_without_a_mark_come_out_right(
    tmp_path: Path, names: list[str], codec: str, guessed: str
) -> None:
    images = unpacked(tmp_path, names, codec)
    assert images.class_names == tuple(sorted(names))
    assert sorted(path.name for path in (tmp_path / "set").iterdir()) == sorted(names)
    remarks = [warning.message for warning in images.warnings]
    assert len(remarks) == bool(guessed)
    assert all(remark.startswith(GUESS + guessed) for remark in remarks)


def test_the_guess_is_one_for_all_names() -> None:
    """`îC` could be a word. The other name shows that these are Japanese names."""
    assert guess_codec(["手袋".encode("cp932"), "犬".encode("cp932")]) == "cp932"
    assert guess_codec([]) == "utf-8"
    assert guess_codec([b"\xff\xfe\xfd"]) == "cp437"  # valid in nothing else


def test_a_unicode_path_in_an_extra_field_is_the_name(tmp_path: Path) -> None:
    files = {
        name.replace("x/", "\u00e9/").encode("cp437"): content
        for name, content in class_files(["x", "c1", "c2"]).items()
    }
    extra = {}
    for name in list(files)[:2]:
        field = struct.pack("<BI", 1, zlib.crc32(name)) + "靴".encode() + name[1:]
        extra[name] = struct.pack("<HH", 0x7075, len(field)) + field
    images = unpack_images(raw_zip(tmp_path / "a.zip", files, extra), tmp_path / "set")
    assert images.class_names == ("c1", "c2", "靴")
    assert images.warnings == ()


def test_backslashes_are_separators(tmp_path: Path) -> None:
    """PowerShell and old .NET programs write them, for folders too."""
    files = {name.replace("/", "\\"): c for name, c in class_files(["c0", "c1"], "shoes/").items()}
    images = unpack_images(zipped(tmp_path / "a.zip", {"shoes\\": b"", **files}), tmp_path / "set")
    assert images.files == ("c0/0.jpg", "c0/1.jpg", "c1/0.jpg", "c1/1.jpg")


@pytest.mark.parametrize("codec", ["cp932", "cp437"])
@pytest.mark.parametrize("name", ["../ソ.jpg", "c0\\..\\..\\ソ.jpg", "/ソ.jpg", "C:\\ソ.jpg"])
def test_decoded_names_may_not_lead_out(tmp_path: Path, name: str, codec: str) -> None:
    names = ["帽子", "手袋"] if codec == "cp932" else ["Mütze", "Schuh"]
    raw = name.replace("ソ", "ü").encode("cp437") if codec == "cp437" else name.encode("cp932")
    files = {key.encode(codec): content for key, content in class_files(names).items()}
    archive = raw_zip(tmp_path / "a.zip", {**files, raw: b"x"}, {})
    [problem] = found(refusal(lambda: unpack_images(archive, tmp_path / "set"), tmp_path)).values()
    assert "leads out" in problem or "absolute" in problem


def test_a_name_is_measured_after_it_is_decoded(tmp_path: Path) -> None:
    with pytest.raises(IntakeError, match="more than 255 bytes"):
        unpacked(tmp_path, ["あ" * 90, "い"], "utf-8")
    with pytest.raises(IntakeError, match="more than 2000 bytes"):
        unpacked(tmp_path, ["/".join(["deep"] * 500), "c1"], "utf-8")


@pytest.mark.parametrize(
    "names", [["A: alpha", "b: c", "C?*"], ["A:alpha", "B:beta"], ["a.", "v1..v2"]]
)
def test_a_colon_in_the_name_of_a_class_is_no_drive(tmp_path: Path, names: list[str]) -> None:
    archive = zipped(tmp_path / "a.zip", class_files(names))
    assert unpack_images(archive, tmp_path / "set").class_names == tuple(sorted(names))


def test_what_is_above_the_class_folders_is_passed_over(tmp_path: Path) -> None:
    files = class_files(["c0", "c1"], "archive/shoes/")
    files |= {"archive/README.md": b"x", "archive/shoes/LICENSE": b"x"}
    files |= {"archive/shoes/metadata.csv": b"x"}
    images = unpack_images(zipped(tmp_path / "a.zip", files), tmp_path / "set")
    assert images.class_names == ("c0", "c1")
    assert [warning.message for warning in images.warnings] == [
        "everything is in the folder archive/shoes; the classes are the folders in it",
        "passed over archive/README.md and 2 more above the class folders",
    ]


def test_text_in_a_class_folder_is_no_image(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "a.zip", {**class_files(["c0", "c1"]), "c0/notes.txt": b"x"})
    problems = found(refusal(lambda: unpack_images(archive, tmp_path / "set"), tmp_path))
    assert list(problems) == ["c0/notes.txt"]


@pytest.mark.parametrize("name", ["README.txt", ".", "./", "license"])
def test_an_archive_without_images_is_refused(tmp_path: Path, name: str) -> None:
    archive = zipped(tmp_path / "a.zip", {name: b"x"})
    error = refusal(lambda: unpack_images(archive, tmp_path / "set"), tmp_path)
    assert "pack one folder of images for each class" in found(error)[""]


def test_files_of_systems_are_passed_over_in_any_case(tmp_path: Path) -> None:
    junk = ["thumbs.db", "THUMBS.DB", "Desktop.ini", "@eaDir/x.jpg", "Icon\r", "__macosx/x"]
    files = class_files(["c0", "c1"]) | {f"c0/{name}": b"x" for name in junk}
    files |= {"thumbs.db": b"x", "@eaDir/c0/0.jpg": b"x", ".ipynb_checkpoints/0.jpg": b"x"}
    images = unpack_images(zipped(tmp_path / "a.zip", files), tmp_path / "set")
    assert len(images.files) == 4
    assert [warning.message for warning in images.warnings] == [
        "passed over 9 hidden or system files"
    ]


def test_the_raw_zips_are_whole(tmp_path: Path) -> None:
    with zipfile.ZipFile(raw_zip(tmp_path / "a.zip", {b"a/1": b"x"}, {})) as archive:
        assert archive.testzip() is None
        assert archive.read("a/1") == b"x"

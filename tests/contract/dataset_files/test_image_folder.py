"""Folders of images: every problem is found and names its file."""

import io
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from contract.dataset_files import IntakeError, Limits, scan_images
from contract.dataset_files.problems import MAX_KEPT
from tests.support.tiny_sets import found, image, image_files, refusal, write
from tests.support.waiting import PATIENCE


def refused(folder: Path, limits: Limits | None = None) -> IntakeError:
    return refusal(lambda: scan_images(folder, limits or Limits()), folder)


def saved(picture: Image.Image, kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


def test_every_type_and_mode_that_is_read(tmp_path: Path) -> None:
    picture = Image.open(io.BytesIO(image(1, "png")))
    files = {
        **image_files(2),
        "c0/a.png": saved(picture.convert("RGBA"), "PNG"),
        "c0/b.PNG": saved(picture.convert("P"), "PNG"),
        "c0/c.webp": saved(picture, "WEBP"),
        "c0/d.bmp": saved(picture, "BMP"),
        "c1/e.jpeg": saved(picture.convert("L"), "JPEG"),
        "c1/f.JPG": saved(picture.convert("CMYK"), "JPEG"),
        "c1/g.jpg": saved(picture.convert("1"), "PNG"),  # recognised by content, not by name
        "c1/h.jpg": saved(picture, "JPEG", progressive=True),
    }
    images = scan_images(write(tmp_path, files))
    assert images.files == tuple(sorted(files))
    assert images.labels.tolist() == [int(name[1]) for name in sorted(files)]
    assert images.warnings == ()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"hello", "is not an image that can be read"),
        (image(1)[: len(image(1)) // 2], "cannot be decoded"),
        (image(1)[:-40], "cannot be decoded"),
        (image(1, "png")[:-200], "cannot be decoded"),
        (image(1, "bmp")[:-200], "cannot be decoded"),
        (image(1, "webp")[:-200], "cannot be decoded"),
        (image(1, "png")[:300] + bytes(8) + image(1, "png")[308:], "cannot be decoded"),
        (saved(Image.new("I;16", (8, 8)), "PNG"), "more than 8 bits"),
        (saved(Image.new("RGB", (8, 8)), "GIF"), "is not an image that can be read"),
        (saved(Image.new("1", (2000, 1000)), "PNG"), "is 2000 x 1000, more than 1,000,000 pixels"),
        (saved(Image.new("1", (1020, 20)), "PNG"), "one side is more than 50 times the other"),
        (b"\xff" * 200_000, "has 200,000 bytes, more than 100,000"),
    ],
)
def test_an_image_that_cannot_be_used(tmp_path: Path, content: bytes, said: str) -> None:
    write(tmp_path, {**image_files(), "c1/bad.jpg": content})
    problems = found(refused(tmp_path, Limits(max_pixels=1_000_000, max_file_bytes=100_000)))
    assert list(problems) == ["c1/bad.jpg"]
    assert said in problems["c1/bad.jpg"]


def test_a_declared_size_beyond_the_limit_of_pil_is_refused(tmp_path: Path) -> None:
    """A few bytes would be decoded to gigabytes."""
    content = bytearray(image(1, "bmp"))
    content[18:26] = (60_000).to_bytes(4, "little") * 2
    write(tmp_path, {**image_files(), "c1/bomb.bmp": bytes(content)})
    assert "pixels; make it smaller" in found(refused(tmp_path))["c1/bomb.bmp"]


@pytest.mark.parametrize("name", ["a.jfif", "a.jpe", "a.JPG", "a", "a.png", "a.txt", "a.b.c"])
def test_the_type_of_an_image_is_told_by_its_content(tmp_path: Path, name: str) -> None:
    images = scan_images(write(tmp_path, {**image_files(), f"c1/{name}": image(900)}))
    assert f"c1/{name}" in images.files
    assert images.warnings == ()


def test_all_problems_come_at_once(tmp_path: Path) -> None:
    files = {
        **image_files(),
        "c0/notes.txt": b"x",
        "c0/archive.zip": b"PK",
        "c1/deep/er/1.jpg": image(70),
        "loose.jpg": image(71),
        "single/1.jpg": image(72),
        "c2/broken.png": b"x",
    }
    (tmp_path / "empty").mkdir()
    problems = found(refused(write(tmp_path, files)))
    assert problems == {
        "c0/notes.txt": "is not an image that can be read; JPEG, PNG, WebP and BMP can",
        "c0/archive.zip": "is not an image that can be read; JPEG, PNG, WebP and BMP can",
        "c1/deep": "is a folder in a class folder; classes are one level of folders",
        "loose.jpg": "lies beside the class folders; put it into one or remove it",
        "single": "has one image only; a class needs two different ones or more",
        "c2/broken.png": "is not an image that can be read; JPEG, PNG, WebP and BMP can",
        "empty": "holds no image; fill it or remove it",
    }


def test_files_of_operating_systems_are_ignored(tmp_path: Path) -> None:
    junk = [".DS_Store", "Thumbs.db", "c0/.hidden.jpg", "c0/Thumbs.db", "__MACOSX/c0/._1.jpg"]
    images = scan_images(write(tmp_path, {**image_files(), **dict.fromkeys(junk, b"x")}))
    assert len(images.files) == 12
    (warning,) = images.warnings
    assert warning.message == "passed over 5 hidden or system files, as .DS_Store"


def test_text_above_the_class_folders_is_passed_over(tmp_path: Path) -> None:
    files = {**image_files(), "readme": b"x", "labels.csv": b"x", "LICENCE": b"x"}
    (warning,) = scan_images(write(tmp_path, files)).warnings
    assert warning.message == "passed over LICENCE and 2 more above the class folders"


@pytest.mark.parametrize(
    ("twin", "difference"),
    [
        ("Cafe\u0301 au lait", "how Unicode writes their accents"),
        ("Caf\u00e9 au lait ", "spaces"),
        ("Caf\u00e9  au lait", "spaces"),
        ("caf\u00e9 au lait", "capital letters"),
    ],
)
def test_class_names_that_look_alike_are_told(tmp_path: Path, twin: str, difference: str) -> None:
    files = image_files(2) | {f"Caf\u00e9 au lait/{n}.jpg": image(500 + n) for n in range(3)}
    files |= {f"{twin}/{n}.jpg": image(600 + n) for n in range(3)}
    images = scan_images(write(tmp_path, files))
    assert len(images.class_names) == 4
    (warning,) = images.warnings
    assert "looks like" in warning.message
    assert f"differ in {difference}" in warning.message


@pytest.mark.parametrize("character", ["\n", "\r", "\t", "\x1b", "\x85", "\u2028"])
def test_names_with_control_characters_are_refused(tmp_path: Path, character: str) -> None:
    files = image_files() | {f"two{character}lines/{n}.jpg": image(500 + n) for n in range(3)}
    files |= {f"c0/a{character}b.jpg": image(600)}
    shown = repr(character)[1:-1]
    problems = found(refused(write(tmp_path, files)))
    assert set(problems) == {f"two{shown}lines", f"c0/a{shown}b.jpg"}
    assert all("line break or another control" in problem for problem in problems.values())


@pytest.mark.parametrize("classes", [0, 1])
def test_fewer_than_two_classes_are_refused(tmp_path: Path, classes: int) -> None:
    problems = found(refused(write(tmp_path, image_files(classes))))
    assert f"has {classes} class folders; needs two or more" in problems[""]


def test_identical_images_of_one_class_count_once(tmp_path: Path) -> None:
    images = scan_images(write(tmp_path, {**image_files(), "c1/copy.jpg": image(100)}))
    assert "c1/0.jpg" in images.files
    assert "c1/copy.jpg" not in images.files
    assert len(images.labels) == len(images.files) == 12
    (warning,) = images.warnings
    assert (warning.where, warning.message) == (
        "c1/copy.jpg",
        "is identical with c1/0.jpg; only that one is used",
    )


def test_a_class_of_one_image_and_its_copy_has_one_image(tmp_path: Path) -> None:
    files = {**image_files(2), "c9/a.jpg": image(5), "c9/b.jpg": image(5)}
    problems = found(refused(write(tmp_path, files)))
    assert list(problems) == ["c9"]


def test_identical_images_of_two_classes_are_refused_by_both_names(tmp_path: Path) -> None:
    problems = found(refused(write(tmp_path, {**image_files(), "c2/copy.jpg": image(100)})))
    assert problems == {"c2/copy.jpg": "is identical with c1/0.jpg of another class; remove one"}


def test_a_hundred_problems_are_kept_and_all_are_counted(tmp_path: Path) -> None:
    bad = {f"c0/bad{i:03}.jpg": b"x%d" % i for i in range(150)}
    error = refused(write(tmp_path, {**image_files(), **bad}))
    assert len(error.problems) == MAX_KEPT == 100
    assert error.total == 150
    assert str(error).startswith("c0/bad000.jpg: is not an image")
    assert str(error).endswith("; and 145 more")


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(IntakeError, match="cannot be listed"):
        scan_images(tmp_path / "nowhere")


def test_too_many_images_are_refused(tmp_path: Path) -> None:
    problems = found(refused(write(tmp_path, image_files()), Limits(max_files=5)))
    assert problems == {"": "has more than 5 images"}


def test_links_in_a_folder_of_this_machine_are_followed(tmp_path: Path) -> None:
    write(tmp_path / "store", image_files())
    (tmp_path / "set").mkdir()
    for name in ("c0", "c1"):
        (tmp_path / "set" / name).symlink_to(tmp_path / "store" / name)
    (tmp_path / "set" / "c1" / "gone.jpg").symlink_to(tmp_path / "nowhere")
    problems = found(refused(tmp_path / "set"))
    assert problems == {"c1/gone.jpg": "is a link to nothing, no regular file; remove it"}
    (tmp_path / "store" / "c1" / "gone.jpg").unlink()
    assert scan_images(tmp_path / "set").class_names == ("c0", "c1")


def test_many_small_images_take_seconds(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for label in range(20):
        (tmp_path / f"c{label}").mkdir()
        for number in range(100):
            pixels = rng.integers(0, 256, (32, 32, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / f"c{label}" / f"{number}.jpg")
    start = time.perf_counter()
    assert len(scan_images(tmp_path).files) == 2_000
    assert (
        time.perf_counter() - start < 5.0 * PATIENCE
    )  # a third of a second where nothing else runs

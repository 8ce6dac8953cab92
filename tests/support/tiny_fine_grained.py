"""Fine-grained sets of a few tiny images, in their official formats."""

import io
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from scipy.io import savemat

CLASSES = 8
EACH = 10


def jpeg(seed: int) -> bytes:
    """Return a small image, a different one for every seed."""
    pixels = np.random.default_rng(seed).integers(0, 256, (10, 12, 3), dtype=np.uint8)
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "JPEG")
    return out.getvalue()


def write(folder: Path, files: dict[str, str | bytes]) -> None:
    """Write files below a folder."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)


def pack(folder: Path, archive: Path) -> Path:
    """Pack everything below a folder as .tgz or .zip."""
    archive.parent.mkdir(parents=True, exist_ok=True)
    if archive.suffix == ".zip":
        with zipfile.ZipFile(archive, "w") as zipped:
            for path in sorted(folder.rglob("*")):
                zipped.write(path, path.relative_to(folder))
    else:
        with tarfile.open(archive, "w:gz") as tar:
            for path in sorted(folder.iterdir()):
                tar.add(path, path.name)
    return archive


def cub200() -> dict[str, str | bytes]:
    """Return the files of CUB_200_2011 as in its archive."""
    files: dict[str, str | bytes] = {"attributes.txt": "1 has_bill_shape::curved\n"}
    images, classes = [], []
    for at in range(CLASSES * EACH):
        label = at // EACH + 1
        name = f"{label:03}.Bird_{label}/Bird_{at:04}.jpg"
        files[f"CUB_200_2011/images/{name}"] = jpeg(at)
        images.append(f"{at + 1} {name}")
        classes.append(f"{at + 1} {label}")
    files["CUB_200_2011/images.txt"] = "\n".join(images) + "\n"
    files["CUB_200_2011/image_class_labels.txt"] = "\n".join(classes) + "\n"
    files["CUB_200_2011/train_test_split.txt"] = "".join(
        f"{at + 1} {at % 2}\n" for at in range(CLASSES * EACH)
    )
    files["CUB_200_2011/classes.txt"] = "".join(
        f"{one} {one:03}.Bird_{one}\n" for one in range(1, CLASSES + 1)
    )
    return files


def sop() -> dict[str, str | bytes]:
    """Return the files of Stanford_Online_Products as in its archive: five products for training,
    three for testing."""
    files: dict[str, str | bytes] = {}
    lists = {"train": ["image_id class_id super_class_id path"], "test": []}
    lists["test"] = list(lists["train"])
    for at in range(CLASSES * EACH):
        product = at // EACH + 1
        path = f"chair_final/{product}_{at}.JPG"
        files[f"Stanford_Online_Products/{path}"] = jpeg(at)
        lists["train" if product <= 5 else "test"].append(f"{at + 1} {product} 1 {path}")
    for part, lines in lists.items():
        files[f"Stanford_Online_Products/Ebay_{part}.txt"] = "\n".join(lines) + "\n"
    return files


def tiny_imagenet() -> dict[str, str | bytes]:
    """Return the files of tiny-imagenet-200 as in its archive; the last image of each class is in
    its val split."""
    names = [f"n{90 - label:08}" for label in range(CLASSES)]
    files: dict[str, str | bytes] = {
        "tiny-imagenet-200/wnids.txt": "\n".join(names) + "\n",
        "tiny-imagenet-200/words.txt": "".join(f"{one}\tthing, object\n" for one in names),
        "tiny-imagenet-200/test/images/test_0.JPEG": jpeg(999),
    }
    annotations = []
    for label, name in enumerate(names):
        for at in range(EACH - 1):
            path = f"tiny-imagenet-200/train/{name}/images/{name}_{at}.JPEG"
            files[path] = jpeg(label * EACH + at)
        files[f"tiny-imagenet-200/train/{name}/{name}_boxes.txt"] = "".join(
            f"{name}_{at}.JPEG\t0\t10\t63\t58\n" for at in range(EACH - 1)
        )
        files[f"tiny-imagenet-200/val/images/val_{label}.JPEG"] = jpeg(label * EACH + EACH - 1)
        annotations.append(f"val_{label}.JPEG\t{name}\t0\t32\t44\t62")
    files["tiny-imagenet-200/val/val_annotations.txt"] = "\n".join(annotations) + "\n"
    return files


def mat(rows: list[dict[str, Any]], classes: int = 0) -> bytes:
    """Return a mat file with the struct array `annotations` and the names of `classes` classes."""
    array = np.zeros((1, len(rows)), dtype=[(name, object) for name in rows[0]])
    for at, row in enumerate(rows):
        for name, value in row.items():
            array[0, at][name] = value
    out = io.BytesIO()
    content = {"annotations": array}
    if classes:
        content["class_names"] = np.array([[f"Car {one}" for one in range(classes)]], dtype=object)
    savemat(out, content)
    return out.getvalue()


def cars196() -> dict[str, str | bytes]:
    """Return the files of cars196 as first published, with its images unpacked."""
    files: dict[str, str | bytes] = {}
    listed = []
    for at in range(CLASSES * EACH):
        name = f"car_ims/{at + 1:06}.jpg"
        files[f"cars196/{name}"] = jpeg(at)
        box = {f"bbox_{side}": np.uint8(at) for side in ("x1", "y1", "x2", "y2")}
        label = np.uint8(at // EACH + 1)
        listed.append({"relative_im_path": name, **box, "class": label, "test": np.uint8(at % 2)})
    files["cars196/cars_annos.mat"] = mat(listed, CLASSES)
    return files


def cars196_devkit() -> dict[str, str | bytes]:
    """Return the same cars in the layout that torchvision reads."""
    files: dict[str, str | bytes] = {}
    for part, target in (
        ("train", "devkit/cars_train_annos.mat"),
        ("test", "cars_test_annos_withlabels.mat"),
    ):
        listed = []
        for at in range(part == "test", CLASSES * EACH, 2):
            name = f"{at + 1:05}.jpg"
            files[f"stanford_cars/cars_{part}/{name}"] = jpeg(at)
            box = {f"bbox_{side}": np.uint8(at) for side in ("x1", "y1", "x2", "y2")}
            listed.append({**box, "class": np.uint8(at // EACH + 1), "fname": name})
        files[f"stanford_cars/{target}"] = mat(listed)
    return files

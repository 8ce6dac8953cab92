"""The script of a download gives the stored embeddings, where Lossboard cannot be imported."""

import csv
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image

from backend.artifacts.script import PARTS
from contract.comparison.spec import parse_spec
from tests.support import tiny_spoken
from tests.support.kept_models import KeptRun, kept_run, run_scripts
from tests.support.specs import small
from worker import data

TOLERANCE = 1e-5


def write_table(folder: Path) -> Path:
    """Write a table of features of very different sizes, three classes of twenty rows."""
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(3), 20)
    rows = (rng.normal(size=(60, 5)) + labels[:, None]) * [1, 100, 1e-3, 5, 1] + [0, 7, 0, 0, 1e4]
    path = folder / "table.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["f0", "f1", "f2", "f3", "f4", "label"])
        writer.writerows([*row, f"c{label}"] for row, label in zip(rows, labels, strict=True))
    return path


def write_images(folder: Path) -> Path:
    """Write colour photographs of three classes, of several sizes, one with transparency."""
    rng = np.random.default_rng(0)
    for label in range(3):
        own = folder / "images" / f"kind {label}"
        own.mkdir(parents=True)
        for at in range(10):
            pixels = rng.integers(0, 80, (60 + at, 50, 4), dtype=np.uint8)
            pixels[..., label] += 100
            pixels[: 10 * at, :20, 3] = 0
            ending = "png" if at % 2 else "jpg"
            mode = "RGBA" if at % 2 else "RGB"
            image = Image.fromarray(pixels if at % 2 else pixels[..., :3], mode=None)
            image.convert(mode).save(own / f"{at}.{ending}")
    return folder / "images"


def check(run: KeptRun, embedded: Path, rows: Callable[[np.ndarray], np.ndarray]) -> None:
    """Compare what a script wrote with the stored embeddings of the same items."""
    stored = run.embeddings
    with np.load(embedded) as found:
        seen = found["embeddings"][rows(found["names"])]
    assert seen.shape == stored["embeddings"].shape
    np.testing.assert_allclose(seen, stored["embeddings"], atol=TOLERANCE)
    assert np.ptp(stored["embeddings"], axis=0).max() > 0.01, "all alike: nothing is tested"


def by_file(run: KeptRun, root: Path, spec: dict[str, Any]) -> list[str]:
    """Return the names of the test items' files below a folder."""
    pool = data.load(parse_spec(spec).data)
    assert isinstance(pool.items, data.ImageFiles)
    return [str(path.relative_to(root)) for path in pool.items.take(run.embeddings["ids"]).paths]


def places(wanted: list[str]) -> Callable[[np.ndarray], np.ndarray]:
    def rows(names: np.ndarray) -> np.ndarray:
        order = {name: at for at, name in enumerate(names.tolist())}
        return np.array([order[name] for name in wanted])

    return rows


def test_small_networks_on_images_tables_and_recordings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOSSBOARD_DATASETS_DIR", str(tmp_path / "datasets"))
    table, images = write_table(tmp_path), write_images(tmp_path)
    tiny_spoken.write(tmp_path / "datasets")
    own = {"split": "item", "image_size": 16, "background": "grey"}
    folder_data = {"kind": "image_folder", "folder": str(images), **own}
    linear = {"kind": "mlp", "layers": 0, "embedding_dim": 4, "normalize": False}
    spoken = {"kind": "spoken_digits", "images": "digits", "mel_bands": 16, "frames": 16}
    few = {"epochs": 2, "batch_size": 16}
    runs = {
        "digits": kept_run(encoder={"kind": "convnet", "channels": 4, "embedding_dim": 8}),
        "table": kept_run(
            data={"kind": "features", "file": str(table), "standardize": True},
            encoder=linear,
            training=few,
        ),
        "images": kept_run(
            data=folder_data,
            encoder={"kind": "convnet", "channels": 4, "embedding_dim": 8},
            training=few,
        ),
        "spoken": kept_run(
            data=spoken,
            encoder={"kind": "audio_convnet", "channels": 4, "embedding_dim": 8},
            visual_encoder={"kind": "mlp", "hidden": 16, "embedding_dim": 8},
        ),
    }
    folders = {name: run.unpack(tmp_path / "models" / name) for name, run in runs.items()}
    digits = data.load(parse_spec(small()).data).items
    visual = data.load(parse_spec(small(**_paired(spoken))).data).visual
    assert isinstance(digits, torch.Tensor)
    assert isinstance(visual, torch.Tensor)
    assert digits.is_floating_point()  # of any kind: they are taken as they are
    np.save(tmp_path / "digits.npy", digits.numpy().astype(np.float64))
    np.save(tmp_path / "visual.npy", visual.numpy())
    recordings = tiny_spoken.recordings(tmp_path / "datasets")
    calls: list[tuple[str, Path, str, list[str]]] = [
        ("digits", tmp_path / "digits.npy", "digits.npz", []),
        ("table", table, "table.npz", ["--skip", "label"]),
        ("images", images, "images.npz", []),
        ("spoken", recordings, "audio.npz", ["--modality", "audio"]),
        ("spoken", tmp_path / "visual.npy", "visual.npz", ["--modality", "visual"]),
    ]
    run_scripts(
        [
            [str(folders[name] / "embed.py"), str(source), str(tmp_path / out), *options]
            for name, source, out, options in calls
        ]
    )
    for name in ("digits", "table"):
        ids = runs[name].embeddings["ids"]
        check(runs[name], tmp_path / f"{name}.npz", lambda _, ids=ids: ids)  # type: ignore[misc]
    named = by_file(runs["images"], images, small(data=folder_data))
    check(runs["images"], tmp_path / "images.npz", places(named))
    stored = runs["spoken"].embeddings
    ids, half = stored["ids"], len(stored["ids"]) // 2
    names = sorted(path.name for path in recordings.glob("*.wav"))
    with np.load(tmp_path / "audio.npz") as audio, np.load(tmp_path / "visual.npz") as images_seen:
        assert audio["names"].tolist() == names
        seen = [audio["embeddings"][ids[:half]], images_seen["embeddings"][ids[half:]]]
    np.testing.assert_allclose(np.concatenate(seen), stored["embeddings"], atol=TOLERANCE)


BACKBONES: dict[str, dict[str, Any]] = {
    "frozen": {"kind": "resnet18", "weights": "random"},
    "head": {"kind": "resnet18", "weights": "random", "tuning": "head", "hidden": 16},
    "full": {"kind": "resnet18", "weights": "random", "tuning": "full"},
    "published": {"kind": "efficientnet_lite0"},
}


@pytest.mark.slow
def test_backbones_with_their_heads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOSSBOARD_CACHE_DIR", str(tmp_path / "cache"))
    images = write_images(tmp_path)
    folder_data = {"kind": "image_folder", "folder": str(images), "split": "item"}
    runs = {
        name: kept_run(
            data={**folder_data, "background": "white"},
            encoder={**encoder, "embedding_dim": 8},
            training={"epochs": 1, "batch_size": 8},
        )
        for name, encoder in BACKBONES.items()
    }
    wholes = {name: run.parts["weights"].facts["whole_backbone"] for name, run in runs.items()}
    assert [name for name, whole in wholes.items() if whole] == ["full"]
    scripts = {name: run.unpack(tmp_path / name) / "embed.py" for name, run in runs.items()}
    run_scripts(
        [
            [str(script), str(images), str(tmp_path / f"{name}.npz")]
            for name, script in scripts.items()
        ]
    )
    for name, run in runs.items():
        named = by_file(run, images, small(data=folder_data))
        check(run, tmp_path / f"{name}.npz", places(named))


def _paired(spoken: dict[str, Any]) -> dict[str, Any]:
    network = {"kind": "mlp", "hidden": 16, "embedding_dim": 8}
    return {"data": spoken, "encoder": network, "visual_encoder": network}


def test_a_table_with_columns_too_many_or_values_missing_is_refused(tmp_path: Path) -> None:
    text = (PARTS / "vectors.txt").read_text()
    program: dict[str, Any] = {"Path": Path, "math": math, "np": np, "torch": torch}
    exec(compile(text, "vectors.txt", "exec"), program)
    table = tmp_path / "features.parquet"
    vectors = np.arange(12.0).reshape(4, 3)
    pq.write_table(pa.table({"vector": list(vectors), "price": np.arange(4.0)}), table)
    described = {"input": {"shape": [3]}}
    with pytest.raises(
        SystemExit, match=r"4 columns of numbers \(vector, price\), and the encoder"
    ):
        program["read_table"](table, described, [""])
    np.testing.assert_array_equal(program["read_table"](table, described, ["price"]), vectors)
    described = {"input": {"shape": [1]}}
    assert program["read_table"](table, described, ["vector"]).shape == (4, 1)
    pq.write_table(pa.table({"price": [1.0, None, 2.0, float("inf")]}), table)
    with pytest.raises(
        SystemExit, match="not finite in 2 rows, the first is row 1, counted from 0"
    ):
        program["read_table"](table, described, [""])

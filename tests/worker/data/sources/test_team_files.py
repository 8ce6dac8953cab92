"""A team's own data as a run reads them: from an upload, or from a path of this machine."""

import hashlib
import json
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from contract.comparison.data import FeaturesData, ImageFolderData, PairedFeaturesData
from tests.support.tiny_sets import image
from worker import data
from worker.data import ImageFiles
from worker.errors import CancelledError, DataError
from worker.reporting.progress import SILENT

TOKEN = "secret"


def table(path: Path, **columns: np.ndarray) -> Path:
    rng = np.random.default_rng(0)
    made = {"features": rng.normal(size=(60, 5)).astype(np.float32), "labels": np.arange(60) % 3}
    np.savez(path, **{**made, **columns})  # type: ignore[arg-type]
    return path


def folder_of_images(root: Path, classes: int = 8, each: int = 5) -> Path:
    for label in range(classes):
        (root / f"class {label}").mkdir(parents=True)
        for at in range(each):
            content = image(label * each + at, "png")
            (root / f"class {label}" / f"{at}.png").write_bytes(content)
    return root


class TestPaths:
    def test_a_table_with_words_for_labels_and_fine_ones(self, tmp_path: Path) -> None:
        words = np.array(["cat", "ant", "bee"])[np.arange(60) % 3]
        path = table(tmp_path / "a.npz", labels=words, fine_labels=np.arange(60) % 6)
        pool = data.load(FeaturesData(file=str(path)), tmp_path)
        assert isinstance(pool.items, Tensor)
        assert pool.items.dtype == torch.float32
        assert pool.labels[:3].tolist() == [2, 0, 1], "in the order of the letters"
        assert pool.fine is not None
        assert not pool.class_disjoint
        assert [len(pool.indices.train), len(pool.indices.validation)] == [36, 12]

    def test_a_table_of_two_modalities(self, tmp_path: Path) -> None:
        rng = np.random.default_rng(0)
        path = tmp_path / "a.npz"
        np.savez(
            path,
            audio=rng.normal(size=(60, 10, 4)),
            visual=rng.normal(size=(60, 7)),
            labels=np.arange(60) % 3,
        )
        pool = data.load(PairedFeaturesData(file=str(path)), tmp_path)
        assert isinstance(pool.items, Tensor)
        assert isinstance(pool.visual, Tensor)
        assert (pool.items.shape, pool.visual.shape) == ((60, 4), (60, 7)), "seconds are averaged"

    def test_a_folder_of_class_folders(self, tmp_path: Path) -> None:
        root = folder_of_images(tmp_path / "images")
        spec = ImageFolderData(folder=str(root), split="class", validation="classes")
        reported: list[str] = []
        for _ in range(2):
            pool = data.load(spec, tmp_path / "datasets", lambda what, *_: reported.append(what))
            assert isinstance(pool.items, ImageFiles)
            assert len(pool.items) == 40
            assert pool.class_disjoint
        assert len(set(reported)) == 1
        looks = len(reported)
        (root / "class 0" / "0.png").write_bytes(image(999, "png"))
        data.load(spec, tmp_path / "datasets", lambda what, *_: reported.append(what))
        assert len(reported) > looks, "what has changed is looked at again"

    @pytest.mark.parametrize(
        ("columns", "seen"),
        [
            ({"features": np.full((60, 5), np.nan)}, "row"),
            ({"labels": np.zeros(60, dtype=int)}, "class"),
            ({"labels": np.arange(59) % 3}, "59"),
            ({"labels": np.array([0, *[1] * 59])}, "one"),
            ({"labels": np.array([None, *[1] * 59], dtype=object)}, "labels"),
        ],
    )
    def test_a_bad_table_is_refused_with_its_rows(
        self, columns: dict[str, np.ndarray], seen: str, tmp_path: Path
    ) -> None:
        path = table(tmp_path / "a.npz", **columns)
        with pytest.raises(DataError, match=r"the features in .*a\.npz cannot be used") as caught:
            data.load(FeaturesData(file=str(path)), tmp_path)
        assert seen in str(caught.value)

    @pytest.mark.parametrize(
        ("split", "validation", "each", "needs"),
        [
            ("item", "classes", 7, "needs 8 items or more in a class.* and the largest .* has 7"),
            ("class", "items", 9, "needs 10 items or more in a class .* the largest has 9"),
            ("class", "classes", 9, "needs 8 classes or more .* and has 4; validate on items"),
        ],
    )
    def test_too_few_for_a_split_says_how_many_are_needed(
        self, split: str, validation: str, each: int, needs: str, tmp_path: Path
    ) -> None:
        labels = np.repeat(np.arange(4), each)
        features = np.random.default_rng(0).normal(size=(4 * each, 5))
        path = table(tmp_path / "few.npz", features=features, labels=labels)
        spec = {"kind": "features", "file": str(path), "split": split, "validation": validation}
        with pytest.raises(DataError, match=rf"few\.npz {needs}"):
            data.load(FeaturesData.model_validate(spec), tmp_path)

    def test_all_bad_images_are_named(self, tmp_path: Path) -> None:
        root = folder_of_images(tmp_path / "images")
        (root / "class 0" / "0.png").write_bytes(b"rubbish")
        (root / "class 1" / "1.png").write_bytes(image(1, "png")[:200])
        for at in range(1, 5):
            (root / "class 2" / f"{at}.png").unlink()
        with pytest.raises(DataError, match="3 problems") as caught:
            data.load(ImageFolderData(folder=str(root)), tmp_path / "datasets")
        for name in ("class 0/0.png", "class 1/1.png", "class 2"):
            assert name in str(caught.value)

    @pytest.mark.parametrize(
        "spec",
        [
            FeaturesData(file="/nowhere/a.npz"),
            PairedFeaturesData(file="/nowhere/a.h5"),
            ImageFolderData(folder="/nowhere/images"),
        ],
        ids=lambda spec: spec.kind,
    )
    def test_missing_files_are_named(
        self, spec: FeaturesData | PairedFeaturesData | ImageFolderData, tmp_path: Path
    ) -> None:
        with pytest.raises(DataError, match="/nowhere/"):
            data.load(spec, tmp_path)


class _Api(ThreadingHTTPServer):
    """The part of the API that serves uploads to workers; it records the requests."""

    content: dict[str, bytes]
    asked: list[str]
    digest: str | None = None
    answers: str = "{}"


class _Handler(BaseHTTPRequestHandler):
    server: _Api

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        dataset = self.path.split("/")[-2]
        body = self.server.content.get(dataset)
        if self.headers["Authorization"] != f"Bearer {TOKEN}":
            self.send_error(401)
        elif body is None:
            self.send_error(404)
        else:
            self.send_response(200)
            if self.path.endswith("/answers"):
                body = self.server.answers.encode()
            digest = self.server.digest or hashlib.sha256(body).hexdigest()
            self.send_header("X-Content-SHA256", digest)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the tests look at `asked`."""


@contextmanager
def api(monkeypatch: pytest.MonkeyPatch, **content: bytes) -> Iterator[_Api]:
    server = _Api(("127.0.0.1", 0), _Handler)
    server.content, server.asked = content, []
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    monkeypatch.setenv("LOSSBOARD_API_URL", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("LOSSBOARD_WORKER_TOKEN", TOKEN)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def zipped(root: Path, into: Path) -> bytes:
    return Path(shutil.make_archive(str(into), "zip", root)).read_bytes()


class TestUploads:
    def test_a_table_is_fetched_once(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        content = table(tmp_path / "a.npz").read_bytes()
        reported: list[str] = []
        with api(monkeypatch, d1=content) as server:
            for _ in range(2):
                pool = data.load(
                    FeaturesData(dataset="d1"),
                    tmp_path / "datasets",
                    lambda what, *_: reported.append(what),
                )
                assert len(pool.labels) == 60
            calls = [f"/api/v1/internal/datasets/d1/{what}" for what in ("answers", "content")]
            assert server.asked == calls
        assert "fetching upload d1" in reported

    def test_images_are_unpacked_once(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        content = zipped(folder_of_images(tmp_path / "images"), tmp_path / "packed")
        with api(monkeypatch, d1=content) as server:
            for _ in range(2):
                pool = data.load(ImageFolderData(dataset="d1"), tmp_path / "datasets")
                assert isinstance(pool.items, ImageFiles)
                assert len({path.read_bytes() for path in pool.items.paths}) == 40
            assert len(server.asked) == 2

    def test_a_file_is_read_as_the_answers_say(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        cube = np.random.default_rng(0).normal(size=(60, 4, 5)).astype(np.float32)
        content = table(tmp_path / "a.npz", features=cube).read_bytes()
        ways = {"d1": "{}", "d2": '{"dimensions":"flatten"}', "d3": '{"dimensions":"pool"}'}
        with api(monkeypatch, **dict.fromkeys(ways, content)) as server:
            for dataset, server.answers in ways.items():
                for _ in range(2):  # fetched, and then from the folder
                    pool = data.load(FeaturesData(dataset=dataset), tmp_path / "datasets")
                    assert isinstance(pool.items, Tensor)
                    rows = {"d1": cube.mean(1), "d2": cube.reshape(60, 20), "d3": cube.mean(2)}
                    np.testing.assert_allclose(pool.items, rows[dataset], rtol=1e-5, atol=1e-6)

    def test_columns_are_those_that_the_answers_name(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        rows = np.random.default_rng(0).normal(size=(60, 2)).round(3)
        lines = [f"{a},{b},{'xyz'[at % 3]}" for at, (a, b) in enumerate(rows.tolist())]
        with api(monkeypatch, d1="\n".join(["wide,long,what", *lines]).encode()) as server:
            server.answers = '{"columns":{"features":["long","wide"],"labels":"what"}}'
            pool = data.load(FeaturesData(dataset="d1"), tmp_path / "datasets")
        assert isinstance(pool.items, Tensor)
        np.testing.assert_allclose(pool.items, rows[:, ::-1], rtol=1e-6)
        assert pool.class_names == ("x", "y", "z")

    def test_an_upload_that_an_earlier_version_fetched_has_no_answers(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        held = tmp_path / "datasets" / "uploads" / "d1" / "content"
        held.parent.mkdir(parents=True)
        held.write_bytes(table(tmp_path / "a.npz").read_bytes())
        with api(monkeypatch) as server:
            assert len(data.load(FeaturesData(dataset="d1"), tmp_path / "datasets").labels) == 60
            assert server.asked == []

    def test_answers_of_a_later_version_are_refused(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with api(monkeypatch, d1=table(tmp_path / "a.npz").read_bytes()) as server:
            server.answers = '{"colour":"grey"}'
            with pytest.raises(DataError, match="run both in the same version"):
                data.load(FeaturesData(dataset="d1"), tmp_path / "datasets")
        assert self.left(tmp_path) == []

    def test_a_damaged_upload_leaves_nothing(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with api(monkeypatch, d1=table(tmp_path / "a.npz").read_bytes()) as server:
            server.digest = "0" * 64
            with pytest.raises(DataError, match="the API promised 0000"):
                data.load(FeaturesData(dataset="d1"), tmp_path / "datasets")
        assert self.left(tmp_path) == []

    def test_a_cancel_leaves_nothing(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def cancelled(what: str, done: float, total: float | None, unit: str = "items") -> None:
            raise CancelledError(what)

        with (
            api(monkeypatch, d1=table(tmp_path / "a.npz").read_bytes()),
            pytest.raises(CancelledError),
        ):
            data.load(FeaturesData(dataset="d1"), tmp_path / "datasets", cancelled)
        assert self.left(tmp_path) == []

    def test_an_unknown_upload_is_refused(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with api(monkeypatch), pytest.raises(DataError, match="d9 is not known to the API"):
            data.load(FeaturesData(dataset="d9"), tmp_path)
        with pytest.raises(DataError, match="not the id of an uploaded data set"):
            data.load(FeaturesData(dataset="../etc"), tmp_path, SILENT)

    def test_an_unreachable_api_is_named(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with api(monkeypatch):
            pass
        with pytest.raises(DataError, match="gave no data set"):
            data.load(FeaturesData(dataset="d1"), tmp_path)

    def left(self, tmp_path: Path) -> list[str]:
        own = tmp_path / "datasets" / "uploads" / "d1"
        return [path.name for path in own.iterdir() if path.suffix != ".lock"]


def test_the_check_of_a_folder_is_cached_in_a_readable_file(tmp_path: Path) -> None:
    root = folder_of_images(tmp_path / "images")
    data.load(ImageFolderData(folder=str(root)), tmp_path / "datasets")
    [note] = (tmp_path / "datasets" / "checked").iterdir()
    assert json.loads(note.read_text())["folder"] == str(root)
    note.write_text("rubbish")
    assert len(data.load(ImageFolderData(folder=str(root)), tmp_path / "datasets").labels) == 40

"""Images decoded by several threads; features computed once and kept by content."""

import threading
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from contract.comparison.encoder import Resnet18Encoder
from worker import encoders
from worker.data import ImageFiles
from worker.encoders.networks import Backbone, Preparation, load_image
from worker.errors import CancelledError, DataError
from worker.features import decode_images, extract_features
from worker.reporting.progress import SILENT

CPU = torch.device("cpu")


class Told:
    """What a Progress was told; ends the work when told so many times."""

    def __init__(self, end_at: float = float("inf")) -> None:
        self.said: list[tuple[str, float, float | None]] = []
        self._end_at = end_at

    def __call__(self, what: str, done: float, total: float | None, unit: str = "items") -> None:
        self.said.append((what, done, total))
        if len(self.said) >= self._end_at:
            raise CancelledError(what)


class Counted(Backbone):
    """A backbone that counts the images it sees."""

    seen = 0

    def forward(self, images: Tensor) -> Tensor:
        self.seen += len(images)
        return super().forward(images)


@pytest.fixture
def backbone() -> Counted:
    made = encoders.backbone(Resnet18Encoder(weights="random"), folder=Path("/nowhere"))
    return Counted(made.network, made.features, Preparation(resize=40, crop=32)).eval()


def images(folder: Path, count: int, seed: int = 0, size: tuple[int, int] = (48, 60)) -> ImageFiles:
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for at in range(count):
        path = folder / f"{at}.png"
        Image.fromarray(rng.integers(0, 256, (*size, 3), dtype=np.uint8)).save(path)
        paths.append(path)
    return ImageFiles(tuple(paths))


class TestLoading:
    def test_the_middle_of_the_shorter_side(self, tmp_path: Path) -> None:
        pixels = np.zeros((40, 80, 3), dtype=np.uint8)
        pixels[:, 20:60] = 200
        Image.fromarray(pixels).save(tmp_path / "a.png")
        whole = load_image(tmp_path / "a.png", 40, 40)
        assert whole.shape == (3, 40, 40)
        assert whole.dtype == torch.uint8
        assert (whole == 200).all()

    @pytest.mark.parametrize("mode", ["L", "RGBA", "P", "CMYK"])
    def test_every_mode_becomes_three_channels(self, tmp_path: Path, mode: str) -> None:
        kind = "tiff" if mode == "CMYK" else "png"
        Image.new(mode, (20, 10)).save(tmp_path / f"a.{kind}")
        assert load_image(tmp_path / f"a.{kind}", 8, 8).shape == (3, 8, 8)

    def test_a_photograph_is_turned_upright(self, tmp_path: Path) -> None:
        pixels = np.zeros((32, 32, 3), dtype=np.uint8)
        pixels[:16] = 255
        exif = Image.Exif()
        exif[0x0112] = 3  # upside down
        Image.fromarray(pixels).save(tmp_path / "a.jpg", exif=exif, quality=95)
        assert load_image(tmp_path / "a.jpg", 32, 32)[:, :8].max() < 20

    @pytest.mark.parametrize("content", [b"", b"no image", b"\x89PNG\r\n\x1a\n half"])
    def test_what_is_no_image_is_named(self, tmp_path: Path, content: bytes) -> None:
        (tmp_path / "a.png").write_bytes(content)
        with pytest.raises(DataError, match=r"a\.png cannot be read as an image"):
            load_image(tmp_path / "a.png", 8, 8)

    def test_a_tiny_image_grows(self, tmp_path: Path) -> None:
        Image.new("RGB", (3, 2)).save(tmp_path / "a.png")
        assert load_image(tmp_path / "a.png", 40, 32).shape == (3, 32, 32)


class TestDecoding:
    def test_all_images_in_their_order(self, tmp_path: Path) -> None:
        files, told = images(tmp_path, 600, size=(9, 9)), Told()
        decoded = decode_images(files, resize=8, crop=8, progress=told)
        assert decoded.shape == (600, 3, 8, 8)
        for at in (0, 255, 256, 599):
            assert torch.equal(decoded[at], load_image(files.paths[at], 8, 8))
        assert told.said[-1] == ("decoding images", 600, 600)

    def test_a_broken_image_among_them_is_named(self, tmp_path: Path) -> None:
        files = images(tmp_path, 20)
        files.paths[13].write_bytes(b"rubbish")
        with pytest.raises(DataError, match=r"13\.png"):
            decode_images(files, resize=8, crop=8, progress=SILENT)

    def test_a_cancel_ends_it_and_its_threads(self, tmp_path: Path) -> None:
        files = images(tmp_path, 600, size=(9, 9))
        with pytest.raises(CancelledError):
            decode_images(files, resize=8, crop=8, progress=Told(end_at=1))
        assert not [t for t in threading.enumerate() if t.name.startswith("decode")]


class TestFeatures:
    def test_are_the_backbones_and_computed_once(self, tmp_path: Path, backbone: Counted) -> None:
        files, told = images(tmp_path / "images", 70), Told()
        first = extract_features(files, backbone, CPU, cache=tmp_path / "cache", progress=told)
        with torch.inference_mode():
            expected = torch.cat([backbone(load_image(p, 40, 32)[None]) for p in files.paths])
        torch.testing.assert_close(first, expected)
        assert told.said[-1][:2] == ("computing features", 70)
        seen = backbone.seen
        again = extract_features(files, backbone, CPU, cache=tmp_path / "cache", progress=SILENT)
        assert torch.equal(first, again)
        assert backbone.seen == seen

    def test_content_decides_not_names(self, tmp_path: Path, backbone: Counted) -> None:
        def seen(files: ImageFiles) -> int:
            before = backbone.seen
            extract_features(files, backbone, CPU, cache=tmp_path / "cache", progress=SILENT)
            return backbone.seen - before

        files = images(tmp_path / "one", 5)
        assert seen(files) == 5
        assert seen(images(tmp_path / "two", 5)) == 0, "the same images elsewhere"
        assert seen(files.take([1, 0, 2, 3, 4])) == 5, "another order"
        assert seen(images(tmp_path / "one", 5, seed=1)) == 5, "the same names, other images"
        with torch.no_grad():
            next(backbone.network.parameters()).add_(0.01)
        assert seen(files) == 5, "other weights"

    def test_of_tensors(self, tmp_path: Path, backbone: Counted) -> None:
        pixels = torch.randint(0, 256, (70, 1, 28, 28), dtype=torch.uint8)
        first = extract_features(pixels, backbone, CPU, cache=tmp_path, progress=SILENT)
        assert first.shape == (70, 512)
        extract_features(pixels, backbone, CPU, cache=tmp_path, progress=SILENT)
        assert backbone.seen == 70
        extract_features(pixels.flip(0), backbone, CPU, cache=tmp_path, progress=SILENT)
        assert backbone.seen == 140

    def test_a_damaged_file_is_made_anew(self, tmp_path: Path, backbone: Counted) -> None:
        files = images(tmp_path / "images", 5)
        first = extract_features(files, backbone, CPU, cache=tmp_path, progress=SILENT)
        [kept] = (tmp_path / "features").glob("*.npy")
        kept.write_bytes(kept.read_bytes()[:200])
        assert torch.equal(
            extract_features(files, backbone, CPU, cache=tmp_path, progress=SILENT), first
        )
        assert backbone.seen == 10

    def test_a_cancel_leaves_nothing_half(self, tmp_path: Path, backbone: Counted) -> None:
        files = images(tmp_path / "images", 70)
        with pytest.raises(CancelledError):
            extract_features(files, backbone, CPU, cache=tmp_path, progress=Told(end_at=5))
        assert not [p for p in (tmp_path / "features").iterdir() if p.suffix != ".lock"]

    def test_features_that_are_no_numbers_are_refused(
        self, tmp_path: Path, backbone: Counted
    ) -> None:
        with torch.no_grad():
            next(backbone.network.parameters()).fill_(float("nan"))
        with pytest.raises(DataError, match="not finite"):
            extract_features(images(tmp_path, 5), backbone, CPU, cache=tmp_path, progress=SILENT)

    def test_two_at_once_compute_it_once(self, tmp_path: Path, backbone: Counted) -> None:
        files = images(tmp_path / "images", 130)
        found: list[Tensor] = []

        def work() -> None:
            found.append(extract_features(files, backbone, CPU, cache=tmp_path, progress=SILENT))

        threads = [threading.Thread(target=work) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert torch.equal(*found)
        assert backbone.seen == 130

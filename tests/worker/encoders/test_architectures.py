"""Backbones: shapes of inputs and outputs, which weights train, and where weights come from."""

import hashlib
import os
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from contract.comparison.encoder import (
    BackboneEncoder,
    EfficientnetLite0Encoder,
    Encoder,
    Resnet18Encoder,
    Resnet50Encoder,
    VitB32Encoder,
)
from tests.support.file_server import serving
from worker import encoders
from worker.encoders import architectures
from worker.encoders.networks import Backbone
from worker.errors import DataError

WIDTHS: list[tuple[BackboneEncoder, int]] = [
    (Resnet18Encoder(weights="random"), 512),
    (Resnet50Encoder(weights="random"), 2048),
    (VitB32Encoder(weights="random"), 768),
    (EfficientnetLite0Encoder(weights="random"), 1280),
]
RESNET = Resnet18Encoder(weights="random", embedding_dim=8)


def images(count: int = 2, channels: int = 3, side: int = 40) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    shape = (count, channels, side, side)
    return torch.randint(0, 256, shape, generator=generator, dtype=torch.uint8)


def backbone(spec: BackboneEncoder, folder: Path = Path("/nowhere")) -> Backbone:
    return encoders.backbone(spec, folder=folder)


@pytest.mark.parametrize(("spec", "width"), WIDTHS, ids=lambda case: getattr(case, "kind", case))
@torch.no_grad()
def test_features_of_images_of_any_size_grey_or_coloured(spec: BackboneEncoder, width: int) -> None:
    network = backbone(spec)
    assert network.features == width
    assert not network.training
    found = network(images())
    assert found.shape == (2, width)
    assert found.isfinite().all()
    grey = images(channels=1)
    torch.testing.assert_close(network(grey), network(grey.expand(-1, 3, -1, -1)))
    torch.testing.assert_close(network(images().float() / 255), found)


def test_random_weights_are_always_the_same_and_draw_nothing_from_others() -> None:
    torch.manual_seed(1)
    first = backbone(RESNET)
    after = torch.rand(1)
    torch.manual_seed(1)
    assert torch.equal(torch.rand(1), after)
    assert backbone(RESNET).digest == first.digest


def test_the_digest_depends_on_weights_architecture_and_preparation() -> None:
    network = backbone(RESNET)
    before = network.digest
    assert backbone(WIDTHS[1][0]).digest != before
    with torch.no_grad():
        next(network.network.parameters())[0, 0, 0, 0] += 1e-3
    assert network.digest != before


@pytest.mark.parametrize("tuning", ["head", "full"])
def test_only_the_tuned_weights_train(tuning: Any) -> None:
    spec = RESNET.model_copy(update={"tuning": tuning})
    encoder = encoders.build(spec, (3, 40, 40)).train()
    encoder(images(4)).sum().backward()
    own = [name for name, p in encoder.named_parameters() if p.grad is not None]
    assert [n for n, p in encoder.named_parameters() if p.requires_grad] == own
    assert any("backbone" in name for name in own) == (tuning == "full")
    norms = [m for m in encoder.modules() if isinstance(m, nn.BatchNorm2d)]
    assert len(norms) == 20
    assert not any(norm.training for norm in norms), "no image's embedding depends on the others"
    torch.testing.assert_close(encoder(images(4))[:1], encoder(images(1)), rtol=1e-3, atol=1e-5)


def test_arms_start_from_the_same_head_for_every_source_of_weights(tmp_path: Path) -> None:
    torch.save(backbone(RESNET).network.state_dict(), tmp_path / "w.pth")
    from_file = {"weights": "file", "weights_file": str(tmp_path / "w.pth"), "tuning": "head"}

    def head(spec: Encoder, shape: tuple[int, ...]) -> Tensor:
        torch.manual_seed(5)
        built = encoders.build(spec, shape)
        return next(p for p in built.parameters() if p.requires_grad).detach()

    shapes: list[tuple[int, ...]] = [(512,), (3, 40, 40)]
    specs = [RESNET, RESNET.model_copy(update=from_file)]
    first, second = (head(spec, shape) for spec, shape in zip(specs, shapes, strict=True))
    assert torch.equal(first, second)


def test_efficientnet_gives_the_same_output_as_the_published_implementation() -> None:
    """The expected sums are those of the implementation in the weights' package for this input."""
    network = backbone(EfficientnetLite0Encoder())
    side = torch.linspace(-1, 1, 224)
    waves = torch.stack([torch.sin(k * side[:, None] + side[None, :] * k * k) for k in (1, 2, 3)])
    with torch.no_grad():
        found = network.network(waves[None])
    assert found.sum().item() == pytest.approx(168.02925, rel=1e-4)
    top = found[0].topk(3)
    assert top.indices.tolist() == [113, 897, 755]
    assert top.values.tolist() == pytest.approx([5.9153, 4.8062, 3.5279], rel=1e-4)


def test_efficientnet_without_its_packages_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        "worker.encoders.architectures.EFFICIENTNET_PACKAGES", ("timm", "not_installed_here")
    )
    with pytest.raises(DataError, match=r"needs not_installed_here.*--group efficientnet"):
        backbone(EfficientnetLite0Encoder())


class TestWeights:
    def state(self) -> dict[str, Tensor]:
        network = backbone(RESNET).network
        return {
            **{name: value + 0.5 for name, value in network.state_dict().items()},
            "fc.weight": torch.zeros(3, 512),
            "fc.bias": torch.zeros(3),
        }

    def spec(self, path: Path) -> Resnet18Encoder:
        return Resnet18Encoder(weights="file", weights_file=str(path))

    @pytest.mark.parametrize("form", ["plain", "wrapped", "parallel", "safetensors"])
    def test_a_file_is_read(self, tmp_path: Path, form: str) -> None:
        state, path = self.state(), tmp_path / "weights.pth"
        if form == "safetensors":
            path = path.with_suffix(".safetensors")
            save_file(state, path)
        elif form == "wrapped":
            torch.save({"epoch": 3, "state_dict": state}, path)
        elif form == "parallel":
            torch.save({f"module.{name}": value for name, value in state.items()}, path)
        else:
            torch.save(state, path)
        found = backbone(self.spec(path)).network.state_dict()
        assert torch.equal(found["conv1.weight"], state["conv1.weight"])
        assert "fc.weight" not in found

    def test_weights_that_do_not_fit_are_all_named(self, tmp_path: Path) -> None:
        state = self.state()
        del state["bn1.weight"]
        state["extra"] = torch.zeros(1)
        state["conv1.weight"] = torch.zeros(64, 1, 7, 7)
        torch.save(state, tmp_path / "w.pth")
        with pytest.raises(DataError) as caught:
            backbone(self.spec(tmp_path / "w.pth"))
        for seen in (
            "bn1.weight is missing",
            "extra is unknown",
            r"conv1.weight is [64, 1, 7, 7] instead of [64, 3, 7, 7]",
        ):
            assert seen in str(caught.value)

    def test_a_file_with_code_is_refused_and_the_code_not_run(self, tmp_path: Path) -> None:
        class Evil:
            def __reduce__(self) -> tuple[Any, ...]:
                return os.mkdir, (str(tmp_path / "harm"),)

        (tmp_path / "w.pth").write_bytes(pickle.dumps({"a": Evil()}, protocol=2))
        torch.save({"conv1.weight": Evil()}, tmp_path / "v.pth")
        for name in ("w.pth", "v.pth"):
            with pytest.raises(DataError, match=f"{name} cannot be read as weights"):
                backbone(self.spec(tmp_path / name))
        assert not (tmp_path / "harm").exists()

    @pytest.mark.parametrize("content", [b"", b"rubbish", b"PK\x03\x04 half a zip"])
    @pytest.mark.parametrize("name", ["w.pth", "w.safetensors"])
    def test_unreadable_files_are_named(self, tmp_path: Path, content: bytes, name: str) -> None:
        (tmp_path / name).write_bytes(content)
        with pytest.raises(DataError, match=f"{name} cannot be read as weights"):
            backbone(self.spec(tmp_path / name))

    def test_a_file_without_weights_is_named(self, tmp_path: Path) -> None:
        torch.save([1, 2, 3], tmp_path / "w.pth")
        with pytest.raises(DataError, match="holds no state dict"):
            backbone(self.spec(tmp_path / "w.pth"))
        with pytest.raises(DataError, match="there is no weights file"):
            backbone(self.spec(tmp_path / "other.pth"))

    def test_published_weights_are_fetched_once_and_checked(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        served, own = tmp_path / "served", tmp_path / "own"
        served.mkdir()
        torch.save(self.state(), served / "made.pth")
        digest = hashlib.sha256((served / "made.pth").read_bytes()).hexdigest()
        name = f"resnet18-{digest[:8]}.pth"
        (served / "made.pth").rename(served / name)
        with serving(served) as server:
            self.publish(monkeypatch, f"{server.url}/{name}")
            for _ in range(2):
                found = backbone(Resnet18Encoder(), own).network.state_dict()
                assert torch.equal(found["conv1.weight"], self.state()["conv1.weight"])
            assert server.paths == [f"/{name}"]
            wrong = f"resnet18-{'0' * 8}.pth"
            (served / name).rename(served / wrong)
            self.publish(monkeypatch, f"{server.url}/{wrong}")
            with pytest.raises(DataError, match=f"{wrong} is not in .*sha256"):
                backbone(Resnet18Encoder(), own)
        assert [path.name for path in (own / "weights").glob("resnet*")] == [name]

    def test_absent_and_offline_names_folder_and_file(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.publish(monkeypatch, "http://127.0.0.1:9/resnet18-f37072fd.pth")
        with pytest.raises(DataError) as caught:
            backbone(Resnet18Encoder(), tmp_path)
        assert f"resnet18-f37072fd.pth is not in {tmp_path / 'weights'}" in str(caught.value)

    def publish(self, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
        known = architectures.ARCHITECTURES["resnet18"]
        here = architectures.Architecture(known.make, known.features, known.classifier, url)
        monkeypatch.setitem(architectures.ARCHITECTURES, "resnet18", here)

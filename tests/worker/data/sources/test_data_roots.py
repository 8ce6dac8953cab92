"""Paths in specs: where a worker may read, and that it never reads a pipe or a device."""

import os
from pathlib import Path

import pytest
import torch

from contract.comparison.data import FeaturesData, ImageFolderData
from contract.comparison.encoder import Resnet18Encoder
from tests.support.specs import small
from tests.support.tiny_sets import image, npz, table
from worker import data
from worker.api.client import Claim
from worker.encoders.registry import backbone
from worker.encoders.weights import read_weights
from worker.errors import DataError, SettingsError
from worker.reporting.reporter import ListReporter
from worker.settings import data_roots
from worker.trainer.attempt import run_attempt


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder that may be read, beside others."""
    allowed = tmp_path / "allowed"
    allowed.mkdir()
    monkeypatch.setenv("LOSSBOARD_DATA_ROOTS", f"{tmp_path / 'empty'}, {allowed}")
    return allowed


def folder_of_images(folder: Path) -> Path:
    for label in range(8):
        (folder / f"class {label}").mkdir(parents=True)
        for at in range(5):
            (folder / f"class {label}" / f"{at}.png").write_bytes(image(5 * label + at, "png"))
    return folder


def test_folders_are_separated_by_commas_or_as_in_a_path_and_must_be_absolute() -> None:
    assert data_roots({}) == data_roots({"LOSSBOARD_DATA_ROOTS": " "}) == ()
    for given in ("/a, /b c", f"/a{os.pathsep}/b c"):
        assert data_roots({"LOSSBOARD_DATA_ROOTS": given}) == (Path("/a"), Path("/b c"))
    with pytest.raises(SettingsError, match="LOSSBOARD_DATA_ROOTS names b; needs absolute paths"):
        data_roots({"LOSSBOARD_DATA_ROOTS": "/a,b"})


def test_a_file_in_a_root_is_read_also_by_a_link(root: Path, tmp_path: Path) -> None:
    npz(root / "a.npz", table())
    (tmp_path / "link").symlink_to(root)
    for path in (root / "a.npz", tmp_path / "link" / "a.npz"):
        assert len(data.load(FeaturesData(file=str(path)), tmp_path).labels)


@pytest.mark.parametrize("way", ["outside", "link", "dots"])
def test_a_file_elsewhere_is_refused_by_field_path_and_roots(
    way: str, root: Path, tmp_path: Path
) -> None:
    npz(tmp_path / "secret.npz", table())
    (root / "link.npz").symlink_to(tmp_path / "secret.npz")
    path = {
        "outside": str(tmp_path / "secret.npz"),
        "link": str(root / "link.npz"),
        "dots": str(root / ".." / "secret.npz"),
    }[way]
    with pytest.raises(DataError) as caught:
        data.load(FeaturesData(file=path), tmp_path)
    for words in (f"data.file: {path}", str(tmp_path / "secret.npz"), str(root), "DATA_ROOTS"):
        assert words in str(caught.value)


def test_folders_and_links_in_them_must_lie_in_a_root(root: Path, tmp_path: Path) -> None:
    outside, inside = folder_of_images(tmp_path / "outside"), folder_of_images(root / "images")
    assert len(data.load(ImageFolderData(folder=str(inside)), tmp_path).labels) == 40
    with pytest.raises(DataError, match=r"data\.folder: .*outside lies in none"):
        data.load(ImageFolderData(folder=str(outside)), tmp_path)
    (outside / "class 0" / "0.png").write_bytes(image(99, "png"))
    (inside / "class 0" / "9.png").symlink_to(outside / "class 0" / "0.png")
    with pytest.raises(DataError, match=r"data\.folder: .*9\.png, which leads to .*outside"):
        data.load(ImageFolderData(folder=str(inside)), tmp_path)


def test_weights_must_lie_in_a_root(root: Path, tmp_path: Path) -> None:
    weights = tmp_path / "w.pt"
    torch.save({}, weights)
    spec = Resnet18Encoder(weights="file", weights_file=str(weights))
    with pytest.raises(DataError, match=r"encoder\.weights_file: .*w\.pt lies in none"):
        backbone(spec, folder=tmp_path)


def test_without_the_setting_any_path_is_read(tmp_path: Path) -> None:
    path = npz(tmp_path / "a.npz", table())
    assert len(data.load(FeaturesData(file=str(path)), tmp_path).labels)


@pytest.mark.parametrize("name", ["w.pt", "w.safetensors"])
def test_weights_from_a_pipe_or_a_device_are_refused(name: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / name)
    with pytest.raises(DataError, match=f"{name} cannot be read as weights: it is a named pipe"):
        read_weights(tmp_path / name)
    (tmp_path / name).unlink()
    (tmp_path / name).symlink_to("/dev/zero")
    with pytest.raises(DataError, match="it is a device"):
        read_weights(tmp_path / name)


def test_a_pipe_in_place_of_a_folder_is_refused_by_its_kind(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(DataError, match="pipe is a named pipe; name a folder of class folders"):
        data.load(ImageFolderData(folder=str(tmp_path / "pipe")), tmp_path)


def test_a_run_on_a_pipe_fails_at_once_with_the_reason(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    spec = small(data={"kind": "features", "file": str(tmp_path / "pipe")})
    claim = Claim(run="r", attempt=1, lease_s=1, comparison="c", arm="triplet", seed=0, spec=spec)
    reporter = ListReporter()
    run_attempt(claim, reporter, lambda: False, torch.device("cpu"))
    assert reporter.state == "failed"
    assert reporter.failure is not None
    assert "it is a named pipe, and only regular files are read" in reporter.failure.message

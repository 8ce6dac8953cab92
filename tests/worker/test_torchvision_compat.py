"""torchvision works with any build of torch, and is imported only where it is needed."""

import importlib
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from worker import torchvision_compat
from worker.torchvision_compat import torchvision

ROOT = Path(__file__).resolve().parents[2]


def test_models_transforms_and_data_sets_work() -> None:
    network = torchvision.models.resnet18(weights=None, num_classes=7).eval()
    assert network(torch.zeros(2, 3, 64, 64)).shape == (2, 7)
    half = importlib.import_module("torchvision.transforms.v2").Resize(14)(torch.ones(1, 28, 28))
    assert torch.equal(half, torch.ones(1, 14, 14))
    assert torchvision.datasets.MNIST.resources[0][0] == "train-images-idx3-ubyte.gz"


def test_each_missing_operator_is_declared() -> None:
    wanted = ["made_up_first", "made_up_second"]

    def load() -> str:
        for name in wanted:
            if not hasattr(torch.ops.torchvision, name):
                raise RuntimeError(f"operator torchvision::{name} does not exist")
        return "loaded"

    assert torchvision_compat.import_declaring_missing(load) == "loaded"
    with pytest.raises(NotImplementedError, match="made_up_second"):
        torch.ops.torchvision.made_up_second(torch.zeros(1), torch.zeros(1), 0.5)


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("operator other::nms does not exist"),
        RuntimeError("operator torchvision::nms does not exist, and more"),
        ImportError("operator torchvision::nms does not exist"),
        AssertionError("Unexpected CUDA version"),
    ],
    ids=str,
)
def test_every_other_error_is_raised(error: Exception) -> None:
    def load() -> None:
        raise error

    with pytest.raises(type(error)) as caught:
        torchvision_compat.import_declaring_missing(load)
    assert caught.value is error


def test_an_operator_that_stays_missing_ends_the_tries() -> None:
    def load() -> None:
        raise RuntimeError("operator torchvision::made_up_for_ever does not exist")

    with pytest.raises(RuntimeError, match="made_up_for_ever"):
        torchvision_compat.import_declaring_missing(load)


@pytest.mark.slow
def test_a_run_that_needs_no_torchvision_does_not_load_it() -> None:
    program = """
import sys
from contract.comparison.data import DigitsData
from worker import data
from worker.trainer import process
data.load(DigitsData())
print("worker.torchvision_compat" in sys.modules, "torchvision" in sys.modules)
import worker.torchvision_compat
print("torchvision" in sys.modules)
"""
    ended = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.split() == ["False", "False", "True"]

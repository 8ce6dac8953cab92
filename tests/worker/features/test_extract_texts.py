"""Features of texts: computed once for the same texts and model, and batch by batch the same."""

from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from torch import Tensor

from contract.comparison.encoder import StaticTextEncoder
from tests.support.tiny_texts import columns, write_static_model
from worker import encoders
from worker.data import Texts
from worker.encoders.text.model import TextModel
from worker.errors import DataError
from worker.features import extract_features
from worker.reporting.progress import SILENT

CPU = torch.device("cpu")
TEXTS = Texts(tuple(columns()["text"]))


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TextModel:
    monkeypatch.setenv("LOSSBOARD_MODEL_ROOTS", str(tmp_path))
    write_static_model(tmp_path / "tiny")
    return encoders.text_model(StaticTextEncoder(model="tiny"))


def extracted(texts: Texts, model: TextModel, cache: Path, batch: int | None = None) -> Tensor:
    return extract_features(texts, model, CPU, cache=cache, progress=SILENT, batch=batch)


def test_features_are_computed_once(
    model: TextModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = extracted(TEXTS, model, tmp_path / "a")
    assert first.shape == (64, 6)
    assert torch.equal(extracted(TEXTS, model, tmp_path / "b", batch=3), first)

    def never(texts: Sequence[str]) -> Tensor:
        raise AssertionError("they are kept")

    monkeypatch.setattr(model, "tokens", never)
    assert torch.equal(extracted(TEXTS, model, tmp_path / "a"), first)
    with pytest.raises(AssertionError):
        extracted(Texts((*TEXTS.texts[:-1], "another cat")), model, tmp_path / "a")
    with pytest.raises(AssertionError):  # the same letters, cut in another place
        extracted(Texts(("my ca", "t")), model, tmp_path / "a")


def test_weights_that_give_no_finite_features_are_named(model: TextModel, tmp_path: Path) -> None:
    with torch.no_grad():
        next(model.parameters())[3] = torch.inf
    with pytest.raises(DataError, match="features of item 0 are not finite"):
        extracted(TEXTS, model, tmp_path / "a")

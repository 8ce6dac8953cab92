"""Transformers of a team's own as encoders of texts, on a tiny one that is made here."""

from pathlib import Path
from typing import Any

import pytest
import torch

from contract.comparison.encoder import TransformerTextEncoder
from tests.support.tiny_texts import write_bert, write_modules
from worker import encoders
from worker.encoders.text import transformer
from worker.encoders.text.model import TextModel
from worker.errors import DataError

SPEC = TransformerTextEncoder(model="tiny", embedding_dim=4)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LOSSBOARD_MODEL_ROOTS", str(tmp_path))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    return tmp_path / "tiny"


def states_of(network: Any, model: TextModel, text: str) -> torch.Tensor:
    with torch.no_grad():
        found = network(input_ids=model.tokens([text]).long())
    states: torch.Tensor = found.last_hidden_state[0]
    return states


@pytest.mark.slow
@torch.no_grad()
def test_features_are_those_of_the_library_whatever_else_is_in_the_batch(folder: Path) -> None:
    network = write_bert(folder)
    model = encoders.text_model(SPEC)
    texts = ["my cat", "the old dog is bad"]
    found = model(model.tokens(texts))
    assert (found.shape, model.features, model.training) == ((2, 8), 8, False)
    for at, text in enumerate(texts):
        torch.testing.assert_close(found[at], states_of(network, model, text).mean(dim=0))
    assert model.tokens(["my cat is old " * 9]).shape == (1, 12), "as many as it has places for"
    write_modules(folder, pooling={"pooling_mode_cls_token": True}, parts=("Normalize",))
    (folder / "sentence_bert_config.json").write_text('{"max_seq_length": 5}')
    first = encoders.text_model(SPEC)
    assert first.tokens(["my cat is old my cat"]).shape == (1, 5)
    states = states_of(network, first, "my cat")
    expected = torch.nn.functional.normalize(states[0], dim=0)
    torch.testing.assert_close(first(first.tokens(texts))[0], expected)
    assert first.digest != model.digest


@pytest.mark.slow
def test_all_of_it_can_train(folder: Path) -> None:
    write_bert(folder)
    tokens = encoders.text_model(SPEC).tokens(["my cat", "the old dog is bad"])
    spec = SPEC.model_copy(update={"tuning": "full"})
    network = encoders.build(spec, tuple(tokens.shape[1:]))
    network(tokens)[:, 0].sum().backward()
    slopes = [w.grad for name, w in network.named_parameters() if "word_embeddings" in name]
    assert all(slope is not None and slope.any() for slope in slopes)
    assert slopes


@pytest.mark.slow
def test_folders_that_are_not_read_are_refused(folder: Path) -> None:
    write_bert(folder)
    write_modules(folder, pooling={"pooling_mode_mean_tokens": True}, parts=("Dense",))
    with pytest.raises(DataError, match="has parts that are not read: Dense"):
        encoders.text_model(SPEC)
    write_modules(folder, pooling={"pooling_mode_weightedmean_tokens": True})
    with pytest.raises(DataError, match="pools by pooling_mode_weightedmean_tokens; one of mean"):
        encoders.text_model(SPEC)
    (folder / "modules.json").unlink()
    weights = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").unlink()
    torch.save({}, folder / "pytorch_model.bin")
    with pytest.raises(DataError, match="is no transformer that can be read"):
        encoders.text_model(SPEC)
    (folder / "model.safetensors").write_bytes(weights[:100])
    with pytest.raises(DataError, match="is no transformer that can be read"):
        encoders.text_model(SPEC)


@pytest.mark.parametrize(
    ("pooling", "expected"),
    [("mean", [1.0, 4.0]), ("cls", [0.0, 3.0]), ("max", [2.0, 5.0]), ("lasttoken", [2.0, 5.0])],
)
def test_what_is_behind_a_text_does_not_count(pooling: str, expected: list[float]) -> None:
    states = torch.tensor([[[0.0, 3.0], [1.0, 4.0], [2.0, 5.0], [9.0, 9.0]]])
    there = torch.tensor([[True, True, True, False]])
    assert transformer.pool(states, there, pooling).tolist() == [expected]


def test_without_the_library_it_says_what_to_install(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.mkdir()
    monkeypatch.setattr(transformer, "PACKAGE", "not_installed_here")
    with pytest.raises(DataError, match=r"needs not_installed_here, .*--group transformers"):
        encoders.text_model(SPEC)

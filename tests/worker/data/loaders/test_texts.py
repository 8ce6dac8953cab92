"""Texts as a run reads them: a team's own tables, and generated ones."""

from pathlib import Path

import numpy as np
import pytest
import torch

from contract.comparison.data import GeneratedTextData, TextData
from contract.preview.class_sizes import class_sizes
from contract.preview.splits import split_sizes
from tests.support.tiny_texts import columns, write_csv
from worker import data
from worker.data import Texts
from worker.data.loaders.phrases import DOMAINS
from worker.errors import DataError


def test_a_table_keeps_its_own_split(tmp_path: Path) -> None:
    own = columns()
    path = write_csv(tmp_path / "a.csv", own)
    pool = data.load(TextData(file=str(path), split="given"))
    assert isinstance(pool.items, Texts)
    assert pool.items.texts == tuple(own["text"])
    for name, part in (("train", "train"), ("validation", "val"), ("test", "test")):
        index = getattr(pool.indices, name)
        assert [own["split"][row] for row in index] == [part] * len(index)
    assert pool.class_names == ("cat", "dog")
    assert pool.fine is not None
    assert pool.fine_names is not None
    assert [pool.fine_names[label] for label in pool.fine.tolist()] == own["fine_label"]
    by_item = data.load(TextData(file=str(path)))
    assert [len(part) for part in (by_item.indices.train, by_item.indices.test)] == [38, 14]


def test_a_table_that_cannot_be_used_says_why(tmp_path: Path) -> None:
    own = columns()
    path = write_csv(tmp_path / "a.csv", {"text": own["text"], "label": own["label"]})
    with pytest.raises(DataError, match="has no column `split` with train and test"):
        data.load(TextData(file=str(path), split="given"))
    own["text"][4] = ""
    path = write_csv(tmp_path / "b.csv", own)
    with pytest.raises(DataError, match=r"one problem: row 4, text: is empty"):
        data.load(TextData(file=str(path)))


def test_generated_texts_are_all_different_and_the_same_for_a_seed() -> None:
    spec = GeneratedTextData(domains=10, intents=8, per_intent=200)
    pool, again = data.load(spec), data.load(spec)
    assert isinstance(pool.items, Texts)
    assert pool.items == again.items
    assert len(set(pool.items.texts)) == len(pool.items) == 16_000
    assert data.load(spec.model_copy(update={"seed": 1})).items != pool.items
    assert pool.fine is not None
    assert torch.equal(pool.labels, pool.fine // 8)
    assert pool.class_names == tuple(DOMAINS)
    assert pool.fine_names is not None
    assert pool.fine_names[9] == "travel: cancel"
    plain = data.load(spec.model_copy(update={"asides": 0.0}))
    assert isinstance(plain.items, Texts)
    aside = [text for text in pool.items.texts if ", " in text.removeprefix("hey, ")]
    of_plain = [text for text in plain.items.texts if ", " in text.removeprefix("hey, ")]
    assert len(aside) - len(of_plain) == pytest.approx(0.4 * 16_000, rel=0.02)


def test_generated_texts_are_split_as_the_preview_says() -> None:
    spec = GeneratedTextData(domains=3, intents=2, per_intent=11)
    pool = data.load(spec)
    sizes = split_sizes(spec, class_sizes(spec), [])
    for name in ("train", "validation", "test"):
        told = getattr(sizes, name)
        counts = np.bincount(pool.labels[getattr(pool.indices, name)].numpy())
        assert (told.items.least, told.smallest.least) == (counts.sum(), counts.min())
    assert [len(own[1]) for own in DOMAINS.values()] == [8] * 10


def test_texts_are_no_tensors_before_a_tokenizer_has_read_them() -> None:
    pool = data.load(GeneratedTextData(domains=2, intents=2, per_intent=10))
    with pytest.raises(TypeError, match="read by a tokenizer"):
        pool.dataset()
    long = Texts(("x" * 1000, "short"))
    assert [len(text) for text in long.beginnings] == [240, 5]

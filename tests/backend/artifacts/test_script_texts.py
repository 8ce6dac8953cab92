"""The script of a download embeds texts as they were embedded here, and says what it needs."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backend.artifacts.blobs import read_description
from backend.artifacts.script import PARTS, needs
from contract.comparison.data import TextData
from tests.support.kept_models import KeptRun, kept_run, run_scripts
from tests.support.tiny_texts import (
    columns,
    write_bert,
    write_csv,
    write_modules,
    write_static_model,
)
from worker import data
from worker.data import Texts

TRAINING = {"epochs": 2, "batch_size": 16}


def run_of(table: Path, **encoder: Any) -> KeptRun:
    return kept_run(
        data={"kind": "text", "file": str(table), "split": "given"},
        encoder={"kind": "static_text", "embedding_dim": 4, **encoder},
        training=TRAINING,
    )


def check(run: KeptRun, embedded: Path) -> None:
    """Compare what a script wrote with the stored embeddings of the test split."""
    stored = run.embeddings
    with np.load(embedded) as found:
        seen = found["embeddings"][stored["ids"]]
    np.testing.assert_allclose(seen, stored["embeddings"], atol=1e-6)
    assert np.ptp(stored["embeddings"], axis=0).max() > 0.01, "all alike: nothing is tested"


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LOSSBOARD_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("LOSSBOARD_MODEL_ROOTS", str(tmp_path / "models"))
    write_static_model(tmp_path / "models" / "own" / "tiny", normalize=True)
    return write_csv(tmp_path / "texts.csv", columns())


def test_a_run_on_texts_keeps_them_and_its_script_embeds_new_ones(
    table: Path, tmp_path: Path
) -> None:
    runs = {
        "frozen": run_of(table, model="own/tiny", hidden=8),
        "full": run_of(table, model="own/tiny", tuning="full"),
    }
    wholes = [run.parts["weights"].facts["whole_backbone"] for run in runs.values()]
    assert wholes == [False, True]
    folders = {name: run.unpack(tmp_path / name) for name, run in runs.items()}
    own = ["--backbone", str(tmp_path / "models" / "own" / "tiny")]
    run_scripts(
        [
            [str(folder / "embed.py"), str(table), str(tmp_path / f"{name}.npz"), *own]
            for name, folder in folders.items()
        ]
    )
    for name, run in runs.items():
        check(run, tmp_path / f"{name}.npz")
    facts = json.loads(bytes(runs["full"].embeddings["facts"]))
    pool = data.load(TextData(file=str(table)))
    assert isinstance(pool.items, Texts)
    assert facts["texts"] == list(pool.items.take(runs["full"].embeddings["ids"]).texts)
    assert facts["fine"] == ["cat eats", "cat is", "dog eats", "dog is"]
    description = read_description(folders["full"] / "model.safetensors")
    assert needs(description) == ["torch", "numpy", "safetensors", "tokenizers"]


@pytest.mark.slow
def test_the_bundled_model_is_found_in_its_package(table: Path, tmp_path: Path) -> None:
    run = run_of(table)
    folder = run.unpack(tmp_path / "m")
    run_scripts([[str(folder / "embed.py"), str(table), str(tmp_path / "m.npz")]])
    check(run, tmp_path / "m.npz")
    assert "wordllama" in needs(read_description(folder / "model.safetensors"))


@pytest.mark.slow
def test_a_transformer_of_ones_own_is_named_to_the_script(table: Path, tmp_path: Path) -> None:
    folder = tmp_path / "models" / "bert"
    write_bert(folder)
    write_modules(folder, pooling={"pooling_mode_max_tokens": True}, parts=("Normalize",))
    for tuning in ("frozen", "full"):
        run = kept_run(
            data={"kind": "text", "file": str(table), "split": "given"},
            encoder={
                "kind": "transformer_text",
                "model": "bert",
                "embedding_dim": 4,
                "tuning": tuning,
            },
            training=TRAINING,
        )
        own = run.unpack(tmp_path / tuning)
        out = str(tmp_path / f"{tuning}.npz")
        run_scripts([[str(own / "embed.py"), str(table), out, "--backbone", str(folder)]])
        check(run, tmp_path / f"{tuning}.npz")
    assert "transformers" in needs(read_description(own / "model.safetensors"))


def test_texts_are_read_from_every_format_and_empty_ones_are_refused(tmp_path: Path) -> None:
    program: dict[str, Any] = {"Path": Path, "csv": csv, "json": json}
    exec(compile((PARTS / "texts.txt").read_text(), "texts.txt", "exec"), program)
    read = program["read_texts"]
    contents = {
        "a.txt": "one two\n\nthree\n",
        "a.csv": 'label,text\nx,"one two"\ny,three\n',
        "a.jsonl": '{"text": "one two"}\n{"text": "three"}\n',
    }
    for name, content in contents.items():
        path = tmp_path / name
        path.write_text(content)
        texts, names = read(path, {}, {})
        assert (list(texts), list(texts[1:]), names) == (
            ["one two", "three"],
            ["three"],
            ["0", "1"],
        )
    (tmp_path / "b.csv").write_text("text,label\none,x\n,y\n")
    with pytest.raises(SystemExit, match="1 empty texts, the first in row 1"):
        read(tmp_path / "b.csv", {}, {})
    (tmp_path / "c.csv").write_text("words,label\none,x\n")
    with pytest.raises(SystemExit, match="has no column text; it has words, label"):
        read(tmp_path / "c.csv", {}, {})

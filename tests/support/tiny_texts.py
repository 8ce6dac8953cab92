"""Tiny tables of texts, and tiny models for texts as folders of a team's own."""

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace

from worker.encoders.text.transformer import import_library

WORDS = ("a", "bad", "cat", "dog", "eats", "fast", "good", "has", "is", "my", "old", "the", "your")


def columns() -> dict[str, list[Any]]:
    """Return the columns of 64 short texts of two classes, four fine ones, and a split."""
    parts = ("train", "train", "val", "test")
    rows = [
        (f"{own} {animal} {what} {how}", animal, f"{animal} {what}", part)
        for animal in ("cat", "dog")
        for what in ("eats", "is")
        for how in ("fast", "good", "bad", "old")
        for own, part in zip(("my", "your", "the", "a"), parts, strict=True)
    ]
    text, label, fine, split = zip(*rows, strict=True)
    ids = [f"t{row}" for row in range(len(rows))]
    return {
        "id": ids,
        "split": list(split),
        "text": list(text),
        "label": list(label),
        "fine_label": list(fine),
    }


def write_csv(path: Path, table: Mapping[str, Sequence[Any]], delimiter: str = ",") -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, delimiter=delimiter)
        writer.writerow(table)
        writer.writerows(zip(*table.values(), strict=True))
    return path


def write_parquet(path: Path, table: Mapping[str, Sequence[Any]]) -> Path:
    pq.write_table(pa.table({name: list(values) for name, values in table.items()}), path)
    return path


def write_json_lines(path: Path, table: Mapping[str, Sequence[Any]]) -> Path:
    rows = [dict(zip(table, row, strict=True)) for row in zip(*table.values(), strict=True)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def write_tokenizer(path: Path) -> Tokenizer:
    """Write a tokenizer that knows some words; all others are [UNK], number 0."""
    vocabulary = {"[UNK]": 0, **{word: at for at, word in enumerate(WORDS, 1)}}
    tokenizer = Tokenizer(WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    path.parent.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(path))
    return tokenizer


def write_static_model(folder: Path, width: int = 6, **config: Any) -> torch.Tensor:
    """Write a static model in the format of model2vec; return its vectors."""
    write_tokenizer(folder / "tokenizer.json")
    table = torch.randn(len(WORDS) + 1, width, generator=torch.Generator().manual_seed(3))
    save_file({"embeddings": table}, folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(config))
    return table


def write_bert(folder: Path) -> Any:
    """Write a BERT of 8 features as transformers saves it, and return it."""
    library: Any = import_library()
    config = library.BertConfig(
        vocab_size=len(WORDS) + 1,
        hidden_size=8,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=12,
    )
    torch.manual_seed(0)
    network = library.BertModel(config).eval()
    network.save_pretrained(folder)
    write_tokenizer(folder / "tokenizer.json")
    return network


def write_modules(folder: Path, *, pooling: dict[str, Any], parts: tuple[str, ...] = ()) -> None:
    """Write what sentence-transformers adds to a folder: its parts, and the pooling."""
    types = ("Transformer", "Pooling", *parts)
    paths = ("", "1_Pooling", *("" for _ in parts))
    listed = [
        {"idx": at, "type": f"sentence_transformers.models.{name}", "path": path}
        for at, (name, path) in enumerate(zip(types, paths, strict=True))
    ]
    (folder / "modules.json").write_text(json.dumps(listed))
    (folder / "1_Pooling").mkdir(exist_ok=True)
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(pooling))

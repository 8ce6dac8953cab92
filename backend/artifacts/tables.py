"""The embeddings of the test split as files for other tools.

Parquet is for embedding-atlas, DuckDB, pandas and the like. The TensorBoard projector cannot open
it; it takes two TSV files, the vectors and what belongs to each of them.
"""

import re
from typing import IO, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from backend.artifacts.blobs import Embeddings

VECTOR: Final = "embedding"
"""The Parquet column of the vectors."""
_SEPARATORS: Final = re.compile(r"[\t\r\n]+")


def columns(found: Embeddings) -> dict[str, pa.Array]:
    """Return the columns about each row, without the vectors."""
    facts, classes = found.facts, np.array(found.classes, dtype=object)
    rows = len(found.labels)
    columns: dict[str, pa.Array] = {"id": pa.array(found.ids)}
    if facts.files is not None:
        columns["file"] = pa.array(facts.files * (rows // len(facts.files)))
    if facts.texts is not None:
        columns["text"] = pa.array(facts.texts)
    columns["label"] = pa.array(found.labels)
    columns["class"] = pa.array(classes, type=pa.string())
    if found.fine is not None:
        columns["fine"] = pa.array(found.fine)
        if facts.fine is not None:
            names = np.array(facts.fine, dtype=object)
            columns["fine_class"] = pa.array(names[found.fine], type=pa.string())
    if facts.modalities is not None:
        names = np.array(facts.modalities, dtype=object)
        columns["modality"] = pa.array(names[found.modality], type=pa.string())
    columns["split"] = pa.array([facts.split] * rows)
    columns["nearest_id"] = pa.array(found.ids[found.nearest])
    columns["nearest_class"] = pa.array(classes[found.nearest], type=pa.string())
    columns["nearest_is_right"] = pa.array(found.labels[found.nearest] == found.labels)
    return columns


def write_parquet(found: Embeddings, file: IO[bytes]) -> None:
    """Write a row for each point of the test split, with its vector as a list of float32."""
    rows, dim = found.vectors.shape
    flat = pa.array(found.vectors.reshape(-1))
    offsets = pa.array(np.arange(rows + 1, dtype=np.int32) * dim)
    vectors = pa.ListArray.from_arrays(offsets, flat)
    pq.write_table(pa.table({**columns(found), VECTOR: vectors}), file, compression="zstd")


def write_vectors_tsv(found: Embeddings, file: IO[bytes]) -> None:
    """Write the vectors, one a line, without a header, as the projector takes them."""
    np.savetxt(file, found.vectors, fmt="%.8g", delimiter="\t")


def write_metadata_tsv(found: Embeddings, file: IO[bytes]) -> None:
    """Write what belongs to each vector, with a header."""
    table = {name: array.to_pylist() for name, array in columns(found).items()}
    file.write(("\t".join(table) + "\n").encode())
    for row in zip(*table.values(), strict=True):
        # A tab or a line break would begin another cell or another row.
        cells = (_SEPARATORS.sub(" ", str(cell)) for cell in row)
        file.write(("\t".join(cells) + "\n").encode())

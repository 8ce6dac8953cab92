"""Texts and HTML tables about data sets, every text escaped."""

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import PurePath
from typing import Any, Final

from frontend.errors import FieldProblem
from frontend.ui.table_html import table_html

KIND_TITLES: Final = {
    "image_folder": "Images",
    "features": "Features",
    "paired_features": "Pairs of features",
    "text": "Texts",
    "pairs": "Pairs",
    "triplets": "Triplets",
    "labelled_pairs": "Labelled pairs",
    "scored_pairs": "Scored pairs",
}
"""Kind of an upload -> its title."""
TUPLES: Final = ("pairs", "triplets", "labelled_pairs", "scored_pairs")
"""The kinds whose rows are tuples."""
KINDS_BY_ENDING: Final = {
    ".zip": ("image_folder",),
    ".npz": ("features", "paired_features"),
    ".parquet": ("features", "paired_features", "text", *TUPLES),
    ".pq": ("features", "paired_features", "text", *TUPLES),
    ".csv": ("features", "paired_features", "text", *TUPLES),
    ".tsv": ("features", "paired_features", "text", *TUPLES),
    ".jsonl": ("text", *TUPLES),
    ".ndjson": ("text", *TUPLES),
    ".json": ("text", *TUPLES),
    ".h5": ("paired_features", "features"),
    ".hdf5": ("paired_features", "features"),
    ".mat": ("paired_features", "features"),
}
"""Ending of a file -> the kinds of upload that it may hold."""
ANY_KIND: Final = ("features", "paired_features", "image_folder", "text", *TUPLES)
"""What a file of another ending, or of none, may hold."""
SOURCE_TEXTS: Final = {
    "bundled": "bundled",
    "fetched": "downloaded by the worker when a run first needs it",
    "placed": "put by hand into the workers' folder",
}
"""Source of a data set in the catalogue, other than a team's own -> its text."""
MAX_CLASSES: Final = 6
MAX_TUPLE_ITEMS: Final = 9
"""Items of the first tuples that a card shows."""
MAX_IMAGES: Final = 3
"""Number of images that a card shows of each class."""
LAYOUTS: Final = (
    (
        ".zip",
        "Images",
        "One folder of images a class, JPEG, PNG, WebP or BMP; a class needs two or more.",
    ),
    (
        ".npz .parquet .csv .h5 .mat",
        "Features",
        "features [items, numbers] and labels [items]; in Parquet and CSV also columns f0, f1, … "
        "Columns of other names: you say which is what after the upload.",
    ),
    (
        ".npz .parquet .csv .h5 .mat",
        "Pairs of features",
        "audio, visual and labels, row by row of one thing; features for each second "
        "[items, seconds, numbers] are averaged. In Parquet also columns a0, a1, … and v0, v1, …",
    ),
    (
        ".csv .parquet .jsonl",
        "Texts",
        "Columns text and label; if there are, fine_label, split (train, validation, test) and id. "
        "Columns of other names: you say which is what after the upload.",
    ),
    (
        ".csv .parquet .jsonl",
        "Pairs, triplets",
        "Columns anchor and positive, and of triplets negative: texts, or ids of rows of a feature "
        "table. Optional: split.",
    ),
    (
        ".csv .parquet .jsonl",
        "Labelled or scored pairs",
        "Columns first and second, and same (1 or 0) or score (a number). Optional: split.",
    ),
)
"""File endings, title, and contents of each kind of upload."""


def kinds_of(filename: str) -> tuple[str, ...]:
    """Return the kinds of upload that a file may hold by its ending, the likeliest first."""
    return KINDS_BY_ENDING.get(PurePath(filename).suffix.lower(), ANY_KIND)


def summary(dataset: Mapping[str, Any]) -> str:
    """Return a data set in one line: "1,200 items, 10 classes, 64 features, 34 MB"."""
    if dataset["kind"] in TUPLES:
        return _tuples_summary(dataset)
    parts = [f"{dataset['items']:,} items", f"{dataset['classes']:,} classes"]
    if dataset["has_fine"]:
        parts.append("fine labels")
    return ", ".join([*parts, *shape_texts(dataset["shape"]), file_size(dataset["size"])])


def _tuples_summary(dataset: Mapping[str, Any]) -> str:
    noun, seen = KIND_TITLES[dataset["kind"]].lower(), dataset["shape"]
    parts = [
        f"{dataset['items']:,} {noun}",
        f"{seen['distinct']:,} different items",
        f"{seen['groups']:,} groups that share items",
    ]
    if "same" in seen:
        parts.insert(1, f"{seen['same']:,} of them same")
    return ", ".join([*parts, file_size(dataset["size"])])


def shape_texts(seen: Mapping[str, Any]) -> list[str]:
    """Return the number of features per row, or the range of the sizes of images or of texts."""
    words = [
        f"{seen[name]:,} {name} features".replace("features features", "features")
        for name in ("features", "audio", "visual")
        if name in seen
    ]
    if {"min_width", "max_width", "min_height", "max_height"} <= seen.keys():
        low = f"{seen['min_width']} x {seen['min_height']}"
        high = f"{seen['max_width']} x {seen['max_height']}"
        words.append(f"{low} pixels" if low == high else f"{low} to {high} pixels")
    if {"shortest", "longest"} <= seen.keys():
        words.append(f"{seen['shortest']:,} to {seen['longest']:,} characters")
    return words


def file_size(count: float) -> str:
    """Return a number of bytes as a short text with a unit."""
    for unit in ("bytes", "kB", "MB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:,.1f} GB"


def thumbnails(dataset: Mapping[str, Any], prefix: str) -> str:
    """Return images of an upload's first classes with the class names, as HTML.

    Args:
        dataset: a data set of the API, with thumbnail_items.
        prefix: path prefix of the API's addresses.
    """
    by_class: dict[str, list[Mapping[str, Any]]] = {}
    for item in dataset["thumbnail_items"]:
        by_class.setdefault(item["class_name"], []).append(item)
    address = escape(f"{prefix}/datasets/{dataset['id']}/thumbnails", quote=True)
    figures = "".join(
        "<figure>"
        + "".join(
            f"<img src='{address}/{int(item['n'])}' alt='{escape(item['file'], quote=True)}' "
            f"title='{escape(item['file'], quote=True)}' loading='lazy'>"
            for item in items[:MAX_IMAGES]
        )
        + f"<figcaption title='{escape(name, quote=True)}'>{escape(name)}</figcaption></figure>"
        for name, items in list(by_class.items())[:MAX_CLASSES]
    )
    hidden = dataset["classes"] - min(len(by_class), MAX_CLASSES)
    more = f"and {hidden:,} more {'class' if hidden == 1 else 'classes'}" if hidden else ""
    return f"<div class='lb-thumbnails'>{figures}</div><div class='lb-more'>{more}</div>"


def texts_table(dataset: Mapping[str, Any]) -> str:
    """Return the beginnings of some texts of an upload with their classes, as HTML."""
    shown: dict[str, str] = {}
    for one in dataset["texts"]:
        shown.setdefault(one["class_name"], one["text"])
    rows = "".join(
        f"<tr><th scope='row'>{escape(name)}</th><td>{escape(text)}</td></tr>"
        for name, text in list(shown.items())[
            : MAX_TUPLE_ITEMS if dataset["kind"] in TUPLES else MAX_CLASSES
        ]
    )
    first = "Tuple" if dataset["kind"] in TUPLES else "Class"
    held = "Item" if dataset["kind"] in TUPLES else "One of its texts"
    heads = f"<th scope='col'>{first}</th><th scope='col'>{held}</th>"
    return table_html("Some texts", heads, rows, kind="lb-texts")


def layouts_table() -> str:
    """Return the table of accepted files as HTML."""
    body = "".join(
        f"<tr><th scope='row'>{name}</th><td><code>{endings}</code></td><td>{holds}</td></tr>"
        for endings, name, holds in LAYOUTS
    )
    heads = "<td></td><th scope='col'>File</th><th scope='col'>Holds</th>"
    return table_html("Accepted files", heads, body, kind="lb-texts")


def problems_table(fields: Sequence[FieldProblem]) -> str:
    """Return the table of an upload's problems as HTML."""
    rows = "".join(
        f"<tr><th scope='row'>{escape(where) or 'the file'}</th><td>{escape(message)}</td></tr>"
        for where, message in fields
    )
    heads = "<th scope='col'>Location</th><th scope='col'>Problem</th>"
    return table_html("Problems", heads, rows, kind="lb-texts")


def columns_table(columns: Sequence[Mapping[str, Any]]) -> str:
    """Return the table of the columns of an upload, with their first values, as HTML."""
    rows = "".join(
        f"<tr><th scope='row'><code>{escape(one['name']) or '(no name)'}</code></th>"
        f"<td>{escape(one['type'])}</td><td>{escape(' · '.join(one['examples']))}</td></tr>"
        for one in columns
    )
    heads = "<th scope='col'>Column</th><th scope='col'>Type</th><th scope='col'>First values</th>"
    return table_html("Columns", heads, rows, kind="lb-texts", tall=True)


def catalogue_table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return the table of data sets that need no upload, as HTML."""
    body = "".join(
        "<tr>"
        f"<th scope='row'>{escape(row['label'])}</th>"
        f"<td>{escape(row['idea'])}<small>{_paper_html(row)}</small></td>"
        f"<td>{escape(SOURCE_TEXTS[row['source']])}<small>{escape(row['size'])}</small></td>"
        "</tr>"
        for row in rows
        if row["source"] in SOURCE_TEXTS
    )
    heads = (
        "<th scope='col'>Data set</th><th scope='col'>What it is</th>"
        "<th scope='col'>Where it comes from</th>"
    )
    return table_html("Data sets that need no upload", heads, body, kind="lb-texts")


def _paper_html(row: Mapping[str, Any]) -> str:
    if not row["url"]:
        return escape(row["paper"])
    href = escape(row["url"], quote=True)
    return f"<a href='{href}' target='_blank' rel='noopener'>{escape(row['paper'])}</a>"

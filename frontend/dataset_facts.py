"""What there is to say of data sets; pure functions."""

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import PurePath
from typing import Any, Final

from frontend.errors import FieldProblem

KINDS: Final = {
    "image_folder": "Images",
    "features": "Features",
    "paired_features": "Pairs of features",
}
"""Kind of an upload -> what it is called."""
FORMATS: Final = {
    ".zip": ("image_folder",),
    ".npz": ("features", "paired_features"),
    ".parquet": ("features", "paired_features"),
    ".h5": ("paired_features",),
    ".hdf5": ("paired_features",),
    ".mat": ("paired_features",),
}
"""Ending of a file -> the kinds that it may be."""
SOURCES: Final = {
    "bundled": "bundled",
    "fetched": "downloaded by the worker when a run first needs it",
    "placed": "put by hand into the workers' folder",
    "own": "yours: uploaded here, or a path that the workers see",
}
"""Where data sets of the catalogue come from, in words."""
SHOWN: Final = 12
"""Thumbnails of a card."""


def kinds_of(filename: str) -> tuple[str, ...]:
    """The kinds that a file may be, by its ending; none for one that is not taken."""
    return FORMATS.get(PurePath(filename).suffix.lower(), ())


def counts(dataset: Mapping[str, Any]) -> str:
    """A data set in one line: "1,200 items, 10 classes, 34 MB"."""
    parts = [f"{dataset['items']:,} items", f"{dataset['classes']:,} classes"]
    if dataset["has_fine"]:
        parts.append("fine labels")
    return ", ".join([*parts, *shape(dataset["shape"]), size(dataset["size"])])


def shape(seen: Mapping[str, Any]) -> list[str]:
    """The sizes of an upload's rows, or the bounds of its images' sides."""
    words = [
        f"{seen[name]:,} {name} features".replace("features features", "features")
        for name in ("features", "audio", "visual")
        if name in seen
    ]
    if {"min_width", "max_width", "min_height", "max_height"} <= seen.keys():
        low = f"{seen['min_width']} x {seen['min_height']}"
        high = f"{seen['max_width']} x {seen['max_height']}"
        words.append(f"{low} pixels" if low == high else f"{low} to {high} pixels")
    return words


def size(count: float) -> str:
    """Bytes for people."""
    for unit in ("bytes", "kB", "MB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:,.1f} GB"


def thumbnails(dataset: Mapping[str, Any], prefix: str) -> str:
    """The first images of an upload, spread over its classes, as HTML."""
    count = int(dataset["thumbnails"])
    shown = sorted({round(at * (count - 1) / max(1, SHOWN - 1)) for at in range(SHOWN)})
    images = "".join(
        f"<img src='{prefix}/datasets/{escape(dataset['id'], quote=True)}/thumbnails/{number}' "
        "alt='' loading='lazy'>"
        for number in (shown if count else ())
    )
    return f"<div class='lb-thumbnails'>{images}</div>"


def problems_table(fields: Sequence[FieldProblem]) -> str:
    """What was wrong with an upload, row by row, as HTML."""
    rows = "".join(
        f"<tr><th scope='row'>{escape(where) or 'the file'}</th><td>{escape(message)}</td></tr>"
        for where, message in fields
    )
    return (
        "<div class='lb-scroll'><table class='lb-table lb-problems'><thead><tr>"
        "<th scope='col'>Where</th><th scope='col'>What was seen</th></tr></thead>"
        f"<tbody>{rows}</tbody></table></div>"
    )


def catalogue_table(rows: Sequence[Mapping[str, Any]]) -> str:
    """The data sets that need no upload, as HTML."""
    body = "".join(
        "<tr>"
        f"<th scope='row'>{escape(row['label'])}</th>"
        f"<td>{escape(row['idea'])}<small>{_paper(row)}</small></td>"
        f"<td>{escape(SOURCES[row['source']])}<small>{escape(row['size'])}</small></td>"
        "</tr>"
        for row in rows
        if row["source"] != "own"
    )
    return (
        "<div class='lb-scroll'><table class='lb-table lb-known'><thead><tr>"
        "<th scope='col'>Data set</th><th scope='col'>What it is</th>"
        f"<th scope='col'>Where it comes from</th></tr></thead><tbody>{body}</tbody></table></div>"
    )


def _paper(row: Mapping[str, Any]) -> str:
    if not row["url"]:
        return escape(row["paper"])
    href = escape(row["url"], quote=True)
    return f"<a href='{href}' target='_blank' rel='noopener'>{escape(row['paper'])}</a>"

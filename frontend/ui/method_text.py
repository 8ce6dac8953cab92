"""docs/METHOD.md in sections, and texts about metrics and presets, for the Method page.

This is a module and not a part of the page, because a test cannot import a page.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

Metric = Mapping[str, Any]

DOCUMENT: Final = Path(__file__).resolve().parents[2] / "docs" / "METHOD.md"
"""The document; the UI's container image holds it too."""


@dataclass(frozen=True)
class Section:
    """One section of the document, as Markdown with formulas."""

    title: str
    """Heading; "" for the text before the first heading."""
    text: str

    @property
    def anchor(self) -> str:
        """Anchor of the section in the page's address."""
        return re.sub(r"[^a-z0-9]+", "-", self.title.lower()).strip("-")


def read_sections(path: Path = DOCUMENT) -> list[Section]:
    """Read the document's sections in order, the first without a title.

    Raises:
        OSError: the document is missing.
    """
    return split_sections(path.read_text(encoding="utf-8"))


def split_sections(document: str) -> list[Section]:
    """Split a Markdown document at its second-level headings, without the document's title."""
    front, *parts = re.split(r"^## ", document, flags=re.MULTILINE)
    sections = [Section("", re.sub(r"^# .*\n", "", front).strip())]
    for part in parts:
        title, _, text = part.partition("\n")
        sections.append(Section(title.strip(), text.strip()))
    return sections


def find_metric(metrics: Sequence[Metric], key: str) -> Metric | None:
    """Return the metric with this key, which may begin with `test.`; None if unknown."""
    return next((metric for metric in metrics if metric["key"] == key), None)


def direction_text(metric: Metric) -> str:
    """Return in words which direction is better; "" if neither is."""
    words = {"higher": "↑ higher is better", "lower": "↓ lower is better"}
    return words.get(metric["better"] or "", "")


def presets_table(presets: Sequence[Mapping[str, Any]]) -> str:
    """Return the presets as a Markdown table: protocol, source, needs, and reported values."""
    lines = ["| preset | protocol | needs | reported (secondary source) |", "|--|--|--|--|"]
    for row in presets:
        source = f"[{row['paper']}]({row['url']})" if row["url"] else row["paper"]
        reported = "; ".join(
            f"{one['what']}: {one['a']:g} contrastive, {one['b']:g} triplet {one['unit']}".strip()
            for one in row["reported"]
        )
        after = f" After {source}." if source else ""
        cells = (f"**{row['label']}**", f"{row['idea']}{after}", row["needs"], reported)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)

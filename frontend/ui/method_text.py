"""The text of the method: docs/METHOD.md, section by section, as the Method page shows it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

Metric = Mapping[str, Any]

DOCUMENT: Final = Path(__file__).resolve().parents[2] / "docs" / "METHOD.md"
"""Also part of the UI's image: one text, told in two places."""


@dataclass(frozen=True)
class Section:
    """One part of the document, Markdown with formulas."""

    title: str
    """"" for what stands in front of the first."""
    text: str

    @property
    def anchor(self) -> str:
        """Its place in the page's address."""
        return re.sub(r"[^a-z0-9]+", "-", self.title.lower()).strip("-")


def read(path: Path = DOCUMENT) -> list[Section]:
    """The document's sections in order, the first without a title.

    Raises:
        OSError: the document is not there.
    """
    return split(path.read_text(encoding="utf-8"))


def split(document: str) -> list[Section]:
    """A Markdown document at its headings of the second level; its own title is left out."""
    front, *parts = re.split(r"^## ", document, flags=re.MULTILINE)
    sections = [Section("", re.sub(r"^# .*\n", "", front).strip())]
    for part in parts:
        title, _, text = part.partition("\n")
        sections.append(Section(title.strip(), text.strip()))
    return sections


def wanted(metrics: Sequence[Metric], key: str) -> Metric | None:
    """The metric that an address asks for by key, a `test.` key included; None if unknown."""
    return next((metric for metric in metrics if metric["key"] == key), None)


def better(metric: Metric) -> str:
    """Which way is better, in words; "" where neither way is better by itself."""
    words = {"higher": "↑ higher is better", "lower": "↓ lower is better"}
    return words.get(metric["better"] or "", "")


def protocol_rows(presets: Sequence[Mapping[str, Any]]) -> str:
    """The presets as a Markdown table: protocol, source, what it needs, what the paper reports."""
    lines = ["| preset | protocol | needs | reported, second-hand |", "|--|--|--|--|"]
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

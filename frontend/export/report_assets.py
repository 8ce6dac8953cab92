"""What a report carries with it: styles, Plotly, and the modules that draw its figures."""

import hashlib
import json
import re
from base64 import b64encode
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from frontend.ui.assets import FOLDER, Assets

HERE: Final = Path(__file__).parent
MODULES: Final = ("dom.js", "look.js", "dress.js", "save.js")
"""In this order each finds what it imports from those before it."""


@cache
def plotly() -> str:
    """The Plotly of the installed package."""
    return Assets.load().plotly.read_text(encoding="utf-8")


@cache
def drawing() -> str:
    """The modules of the pages' charts as one script, and what draws a report with them."""
    modules = [(FOLDER / "js" / name).read_text(encoding="utf-8") for name in MODULES]
    modules.append((HERE / "report.js").read_text(encoding="utf-8"))
    plain = [re.sub(r"^(import .*\n|export )", "", text, flags=re.MULTILINE) for text in modules]
    return '(() => {\n"use strict";\n' + "\n".join(plain) + "})();\n"


@cache
def report_style() -> str:
    """The style of the pages' tables and charts, and the report's own."""
    page = (FOLDER.parent / "page.css").read_text(encoding="utf-8")
    chart = (FOLDER / "chart.css").read_text(encoding="utf-8")
    return page + chart + (HERE / "report.css").read_text(encoding="utf-8")


def policy() -> str:
    """The content security policy: these scripts and nothing from anywhere."""
    hashes = " ".join(f"'sha256-{_digest(text)}'" for text in (plotly(), drawing()))
    return (
        f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; "
        "img-src data: blob:; base-uri 'none'; form-action 'none'"
    )


def data(content: Mapping[str, Any]) -> str:
    """JSON that cannot end the element that it stands in."""
    return json.dumps(content, ensure_ascii=False).replace("<", "\\u003c")


def _digest(text: str) -> str:
    return b64encode(hashlib.sha256(text.encode()).digest()).decode()

"""A comparison as one HTML file that opens without a network, now and in ten years.

What a report carries with it: styles, Plotly, and the modules that draw its figures.
"""

import hashlib
import json
import re
from base64 import b64encode
from collections.abc import Mapping
from functools import cache
from html import escape
from pathlib import Path
from typing import Any, Final

from frontend.charts.figures import HEIGHT, file_name
from frontend.comparison import html as comparison_html
from frontend.comparison.html import moment
from frontend.comparison.results_table import sections
from frontend.comparison.spec_text import difference, facts, settings
from frontend.comparison.verdict_html import by_seed, card
from frontend.export.report_data import Drawn, Material, drawn
from frontend.ui.assets import LIVE_FOLDER, Assets
from frontend.ui.theme import COLORS, ArmStyle, arm_styles

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
    modules = [(LIVE_FOLDER / "js" / name).read_text(encoding="utf-8") for name in MODULES]
    modules.append((HERE / "report.js").read_text(encoding="utf-8"))
    plain = [re.sub(r"^(import .*\n|export )", "", text, flags=re.MULTILINE) for text in modules]
    return '(() => {\n"use strict";\n' + "\n".join(plain) + "})();\n"


@cache
def report_style() -> str:
    """The style of the pages' tables and charts, and the report's own."""
    page = (LIVE_FOLDER.parent / "page.css").read_text(encoding="utf-8")
    chart = (LIVE_FOLDER / "chart.css").read_text(encoding="utf-8")
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


Json = Mapping[str, Any]


def page(material: Material) -> str:
    """The whole document; every text of people's is escaped."""
    comparison = material.everything["comparison"]
    figures = drawn(material)
    parts = {
        "Verdict": _verdict(material),
        "Curves": _curves(figures),
        "Results": _results(material),
        "Set-up": _setup(material),
        "Runs": _runs(material),
        "How this was made": _made(material),
    }
    links = "".join(f"<a href='#{_anchor(title)}'>{title}</a>" for title in parts)
    body = "".join(
        f"<section><h2 id='{_anchor(title)}'>{title}</h2>{text}</section>"
        for title, text in parts.items()
    )
    name = escape(comparison["name"])
    # The policy comes before all that it is for; a script's text must be, byte by byte, what its
    # hash was made of.
    return (
        "<!doctype html>\n<html lang='en'><head><meta charset='utf-8'>"
        f'<meta http-equiv="Content-Security-Policy" content="{policy()}">'
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        f"<title>{name} · Lossboard</title><style>{report_style()}</style></head><body>"
        f"<header><h1>{name}</h1>{_head(material)}<nav>{links}</nav></header><main>{body}</main>"
        f"<script type='application/json' id='figures'>{_data(figures)}</script>"
        f"<script>{plotly()}</script><script>{drawing()}</script></body></html>\n"
    )


def _looks(material: Material) -> dict[str, ArmStyle]:
    """The arms' looks, whose colour follows the reader's theme by itself."""
    return {
        arm: ArmStyle(f"light-dark({style.light}, {style.dark})", style.dark, style.dash)
        for arm, style in arm_styles(material.arms).items()
    }


def _head(material: Material) -> str:
    everything = material.everything
    spec = everything["spec"]
    rows = settings(spec, material.catalogue)
    shared = facts(spec, material.catalogue, material.upload)
    summary = everything["summary"]
    state = (
        f"{escape(everything['comparison']['state'].capitalize())}: {summary['runs_finished']} of "
        f"{summary['runs_total']} runs finished when this report was made, "
        f"{moment(everything['made_at'])}."
    )
    head = comparison_html.head(everything["comparison"], shared, difference(rows))
    return f"{head}<p class='muted'>{state}</p>"


def _verdict(material: Material) -> str:
    verdict = material.everything["verdict"]
    if verdict["arms"] is None:
        return f"<p>{escape(verdict['summary'])}</p>"
    arms = verdict["arms"]
    seeds = by_seed(material.everything["summary"]["metrics"], arms["a"], arms["b"])
    return card(verdict, _looks(material), "light", seeds)


def _curves(groups: Mapping[str, list[Drawn]]) -> str:
    if not groups:
        return "<p>Nothing was measured yet.</p>"
    shown = "".join(
        f"<h3>{title}</h3><div class='grid'>{''.join(map(_figure, figures))}</div>"
        for title, figures in groups.items()
    )
    return (
        "<p class='muted'>Mean over seeds; the band is its 95 % interval by Student's t, missing "
        "where there is one seed. Drag to zoom, click twice to zoom out; a click on an arm's name "
        f"hides it and changes no other's mean.</p>{shown}"
    )


def _figure(drawn: Drawn) -> str:
    name, caption = escape(drawn.name), escape(drawn.caption)
    label = escape(f"{drawn.name}. {drawn.caption}", quote=True)
    return (
        f"<section class='lb-figure' data-key='{drawn.key}'><header><h4>{name}</h4>"
        f"<span class='lb-tools' id='tools-{drawn.key}'></span></header>"
        f"<p class='lb-meaning'>{caption}</p>"
        f"<div class='chart' role='img' aria-label='{label}' id='chart-{drawn.key}' "
        f"style='height: {drawn.figure.layout.height or HEIGHT}px'></div></section>"
    )


def _results(material: Material) -> str:
    arms = material.arms
    # Against the last arm, so that of two the first minus the second is shown, as the verdict does.
    summary = material.everything["summary"]
    whole_run = [row["key"] for row in material.catalogue["metrics"] if row["summary_only"]]
    found = sections(summary, arms, whole_run)
    if not found:
        return "<p>Nothing was measured yet.</p>"
    tables = "".join(
        f"<h3>{escape(section.title)}</h3>"
        f"{comparison_html.results_table(_looks(material), section, 'light')}"
        for section in found
    )
    return (
        "<p class='muted'>Mean ± standard deviation over seeds, with the mean's 95 % interval "
        "below. ● marks an arm whose interval meets no other arm's, ○ a best mean that is not told "
        f"apart. Runs that failed do not count.</p>{tables}"
    )


def _setup(material: Material) -> str:
    spec = material.everything["spec"]
    rows = settings(spec, material.catalogue)
    notes = material.everything["comparison"]["notes"]
    said = f"<h3>Notes</h3><p class='notes'>{escape(notes)}</p>" if notes else ""
    text = escape(json.dumps(spec, indent=2, ensure_ascii=False))
    return (
        f"<p>{escape(difference(rows))}</p>"
        f"{comparison_html.settings_table(_looks(material), rows, 'light')}{said}"
        "<details class='only-on-screen'><summary>The whole spec, as the New page and "
        f"<code>python -m launcher submit</code> take it</summary><pre>{text}</pre></details>"
    )


def _runs(material: Material) -> str:
    body = "".join(
        f"<tr><th scope='row'>{escape(run['arm'])}</th><td>{run['seed']}</td>"
        f"<td>{escape(run['state'])}</td><td>{run['step']} of {run['total_steps']}</td>"
        f"<td>{escape(run['device'] or '–')}</td><td>{run['attempt']}</td>"
        f"<td class='notes'>{escape(run['error']['message']) if run['error'] else ''}</td></tr>"
        for run in material.everything["runs"]
    )
    heads = ("arm", "seed", "state", "steps", "device", "attempt", "error")
    columns = "".join(f"<th scope='col'>{head}</th>" for head in heads)
    return (
        "<div class='lb-scroll'><table class='lb-table'>"
        f"<thead><tr>{columns}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _made(material: Material) -> str:
    everything = material.everything
    listed = ", ".join(
        f"{escape(name)} {escape(version)}" for name, version in everything["versions"].items()
    )
    return (
        f"<p>Made {moment(everything['made_at'])} from comparison "
        f"<code>{escape(everything['comparison']['id'])}</code> by {listed}. What is reported "
        "elsewhere was read second-hand, in other papers than the one that reports it.</p>"
    )


def _data(groups: Mapping[str, list[Drawn]]) -> str:
    figures = {
        one.key: {"name": one.name, "file": file_name(one.name), "figure": one.figure.to_json()}
        for figures in groups.values()
        for one in figures
    }
    return data({"dark": dict(COLORS), "figures": figures})


def _anchor(title: str) -> str:
    return title.lower().replace(" ", "-")

"""A comparison as one HTML file that opens without a network, now and in ten years.

It contains its styles, Plotly, and the JavaScript modules that draw its figures.
"""

import hashlib
import json
import re
from base64 import b64encode
from collections.abc import Iterable, Sequence
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment
from markupsafe import Markup

from frontend.api.types import LeaderboardMetric
from frontend.charts.figures import file_name
from frontend.comparison import tables_html
from frontend.comparison.leaderboard.figure import note
from frontend.comparison.leaderboard.table import ranks_html
from frontend.comparison.leaderboard.texts import progress_text
from frontend.comparison.results_table import result_sections
from frontend.comparison.spec_text import (
    AS_WRITTEN,
    arm_settings,
    difference_text,
    shared_facts,
)
from frontend.comparison.tables_html import format_time
from frontend.comparison.tuning import moves, tables
from frontend.comparison.tuning.texts import (
    budget_text,
    is_lower_better,
    objective_label,
    setting_titles,
)
from frontend.comparison.verdict.overview import verdict_html, verdict_style
from frontend.export.report_data import Drawn, Material, drawn, leaderboards, search_figures
from frontend.templates import templates
from frontend.ui.assets import LIVE_FOLDER, SAVE_STYLE, Assets
from frontend.ui.replicates import over_text
from frontend.ui.theme import DARK_COLORS, ArmStyle, arm_styles
from frontend.ui.training_states import state_names, warned

HERE: Final = Path(__file__).parent
MODULES: Final = (
    *("live/js/dom.js", "live/js/look.js", "live/js/dress.js"),
    *(f"pictures/js/{name}.js" for name in ("sizes", "letters", "sheet", "plotted", "menu")),
    "live/js/save.js",
)
"""Below `frontend`; in this order each finds what it imports from those before it."""


@cache
def plotly() -> str:
    """Return the JavaScript of the installed Plotly."""
    return Assets.load().plotly.read_text(encoding="utf-8")


@cache
def drawing() -> str:
    """Return one script: the modules of the pages' charts, and the report's own code."""
    modules = [(LIVE_FOLDER.parent / name).read_text(encoding="utf-8") for name in MODULES]
    modules.append((HERE / "report.js").read_text(encoding="utf-8"))
    plain = [re.sub(r"^(import .*\n|export )", "", text, flags=re.MULTILINE) for text in modules]
    return '(() => {\n"use strict";\n' + "\n".join(plain) + "})();\n"


@cache
def report_style() -> str:
    """Return the styles of the pages' tables and charts, and the report's own."""
    page = (LIVE_FOLDER.parent / "page.css").read_text(encoding="utf-8")
    chart = (LIVE_FOLDER / "chart.css").read_text(encoding="utf-8")
    return (
        page
        + chart
        + SAVE_STYLE.read_text(encoding="utf-8")
        + verdict_style()
        + (HERE / "report.css").read_text(encoding="utf-8")
    )


def policy() -> str:
    """Return the content security policy: only these scripts, and nothing from elsewhere."""
    hashes = " ".join(f"'sha256-{_digest(text)}'" for text in (plotly(), drawing()))
    return (
        f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; "
        "img-src data: blob:; base-uri 'none'; form-action 'none'"
    )


def _digest(text: str) -> str:
    return b64encode(hashlib.sha256(text.encode()).digest()).decode()


@cache
def _templates() -> Environment:
    return templates(HERE)


def page(material: Material) -> str:
    """Return the whole document.

    The template escapes every text; only our own HTML and scripts are marked as not to be escaped.
    """
    everything = material.everything
    spec, comparison = everything["spec"], everything["comparison"]
    noun = comparison["replicate_noun"]
    rows = arm_settings(spec, material.catalogue)
    shared = shared_facts(spec, material.catalogue, material.upload, noun)
    groups = drawn(material)
    ranked = leaderboards(material)
    searched = search_figures(material)
    return (
        _templates()
        .get_template("report.html")
        .render(
            policy=policy(),
            style=Markup(report_style()),
            comparison=comparison,
            head=Markup(tables_html.head_html(comparison, shared, difference_text(rows))),
            summary=everything["summary"],
            warned=warned(everything["runs"]),
            state_names=state_names,
            made_at=format_time(everything["made_at"]),
            verdict=everything["verdict"],
            verdict_card=_verdict_card(material),
            leaderboard=_leaderboard(material, ranked),
            leaderboard_advice=everything["leaderboard"]["advice"],
            leaderboard_progress=progress_text(everything["leaderboard"]),
            search=_search(material),
            search_figures=searched,
            groups=groups,
            over=over_text(noun),
            results=_results(material),
            difference=difference_text(rows),
            as_written=AS_WRITTEN,
            settings_table=Markup(tables_html.settings_table(_arm_styles(material), rows, "light")),
            spec=json.dumps(spec, indent=2, ensure_ascii=False),
            runs=everything["runs"],
            versions=everything["versions"],
            figures=_figures(
                comparison["name"],
                [*(own for _, own in ranked), *searched, *chain.from_iterable(groups.values())],
            ),
            plotly=Markup(plotly()),
            drawing=Markup(drawing()),
        )
    )


def _arm_styles(material: Material) -> dict[str, ArmStyle]:
    """Return the arms' styles; their colours follow the reader's light or dark theme."""
    return {
        arm: ArmStyle(f"light-dark({style.light}, {style.dark})", style.dark, style.dash)
        for arm, style in arm_styles(material.arms).items()
    }


def _verdict_card(material: Material) -> Markup | None:
    """Return the card of all claims; None where the comparison lacks one of the two arms."""
    verdict = material.everything["verdict"]
    if verdict["arms"] is None:
        return None
    return Markup(verdict_html(verdict, _arm_styles(material), "light"))


def _results(material: Material) -> list[tuple[str, Markup]]:
    """Return the tables of results with their headings."""
    arms = material.arms
    # Against the last arm, so that of two the first minus the second is shown, as the verdict does.
    summary = material.everything["summary"]
    whole_run = [row["key"] for row in material.catalogue["metrics"] if row["summary_only"]]
    styles, noun = _arm_styles(material), material.everything["comparison"]["replicate_noun"]
    return [
        (section.title, Markup(tables_html.results_table(styles, section, "light")))
        for section in result_sections(summary, arms, whole_run, noun)
    ]


def _leaderboard(
    material: Material, ranked: Sequence[tuple[LeaderboardMetric, Drawn]]
) -> list[tuple[str, Drawn, str, Markup]]:
    """Return for each metric what is said of it, its figure, a note and its table."""
    noun, styles = material.everything["comparison"]["replicate_noun"], _arm_styles(material)
    return [
        (metric["said"], own, note(metric, noun), Markup(ranks_html(metric, styles, "light")))
        for metric, own in ranked
    ]


def _search(material: Material) -> dict[str, Any] | None:
    """Return what is said of the search and its tables; None for one that is not tuned."""
    found = material.everything["tuning"]
    if found is None:
        return None
    metrics, styles = material.catalogue["metrics"], _arm_styles(material)
    titles = setting_titles(found, material.everything["spec"], material.catalogue)
    label = objective_label(found, metrics)
    lower = is_lower_better(found, metrics)
    return {
        "said": budget_text(found, metrics),
        "best": moves.best_text(found, label, lower_better=lower),
        "moved": moves.moved_text(found, titles, label),
        "problems": [(arm["name"], arm["problem"]) for arm in found["arms"] if arm["problem"]],
        "arms": Markup(tables.arms_html(found, styles, "light")),
        "settings": Markup(tables.settings_html(found, styles, "light", titles)),
    }


def _figures(comparison: str, all_drawn: Iterable[Drawn]) -> Markup:
    """Return the figures as JSON that cannot end the element that contains it."""
    figures = {
        drawn.key: {
            "name": drawn.name,
            "file": file_name(drawn.name),
            "figure": drawn.figure.to_json(),
        }
        for drawn in all_drawn
    }
    text = json.dumps(
        {"comparison": comparison, "dark": DARK_COLORS, "figures": figures}, ensure_ascii=False
    )
    return Markup(text.replace("<", "\\u003c"))

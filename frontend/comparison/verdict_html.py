"""The verdict on the nine claims as HTML, every text escaped."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, Final

from frontend.comparison.results_table import format_number, format_signed
from frontend.comparison.tables_html import swatch
from frontend.ui.theme import ArmStyle, Theme

Json = Mapping[str, Any]

VERDICT_TEXTS: Final = {
    "supported": ("✓", "Supported"),
    "contradicted": ("✗", "Contradicted"),
    "undecided": ("≈", "Undecided"),
    "not_measured": ("–", "Not measured"),
}
"""Verdict -> a sign and a word, so that it is not shown by colour alone."""

OWN_CLAIM: Final = 9
"""Id of our own claim, which no paper makes."""

HALF_WIDTH: Final = 46.0
"""Distance from zero, in the middle, to the farthest value, in per cent of the width."""


def verdict_html(
    verdict: Json,
    styles: Mapping[str, ArmStyle],
    theme: Theme,
    differences: Mapping[str, Sequence[float]] | None = None,
) -> str:
    """Return the advice, the summary, a card for each claim, and the caveats.

    Args:
        verdict: the API's verdict, with arms.
        styles: styles of the arms by name.
        theme: the viewer's theme.
        differences: the difference a - b of each seed by metric key, drawn as dots.
    """
    arms = verdict["arms"]
    looks = {arm: styles[arms[arm]] for arm in ("a", "b")}
    caveats = "".join(f"<li>{escape(caveat)}</li>" for caveat in verdict["caveats"])
    seeds = differences or {}
    claims = "".join(_claim_html(claim, looks, theme, seeds) for claim in verdict["claims"])
    advice = verdict.get("advice", "")
    said = f"<p class='lb-advice'>{escape(advice)}</p>" if advice else ""
    return (
        f"<div class='lb-verdict'>{said}<p class='lb-sum'>{escape(verdict['summary'])}</p>"
        f"<p class='lb-key'>{swatch(looks['a'], theme)}{escape(arms['a'])} minus "
        f"{swatch(looks['b'], theme)}{escape(arms['b'])}, paired by seed: each seed's difference "
        "(small dots), their mean (large dot) and its 95 % interval (bar). The shaded side is the "
        "claimed one. Open a card for all its figures.</p>"
        f"<div class='lb-claims'>{claims}</div><ul class='lb-caveats'>{caveats}</ul></div>"
    )


def seed_differences(metrics: Sequence[Json], a: str, b: str) -> dict[str, list[float]]:
    """Return by metric key the differences a - b of the seeds with two uncensored values."""
    found: dict[str, list[float]] = {}
    for metric in metrics:
        values: dict[str, dict[int, float]] = {
            arm["arm"]: {
                one["seed"]: one["value"]
                for one in arm["values"]
                if one["value"] is not None and not one["censored"]
            }
            for arm in metric["arms"]
        }
        own, other = values.get(a, {}), values.get(b, {})
        found[metric["key"]] = [own[seed] - other[seed] for seed in own if seed in other]
    return found


def difference_picture(
    row: Json, looks: Mapping[str, ArmStyle], theme: Theme, seeds: Sequence[float] = ()
) -> str:
    """Return a picture of one difference: zero in the middle, the claimed side shaded.

    It is made of plain HTML elements, because Streamlit removes SVG.
    """
    difference = row["mean_difference"]
    if difference is None:
        return ""
    low, high = row["interval"] or (difference, difference)
    span = max(abs(low), abs(high), abs(difference), *map(abs, seeds)) or 1.0

    def at(value: float) -> float:
        return 50 + HALF_WIDTH * value / span

    side = "right" if row["expected"] == "greater" else "left"
    color = (looks["a"] if difference > 0 else looks["b"]).color(theme)
    said = f"difference {format_signed(difference)}"
    if row["interval"]:
        said += f", 95 % interval {format_signed(low)} to {format_signed(high)}"
    dots = "".join(f"<i class='lb-seed' style='left: {at(value):.1f}%'></i>" for value in seeds)
    return (
        f"<span class='lb-forest' role='img' aria-label='{escape(said, quote=True)}' "
        f"title='{escape(said, quote=True)}'>"
        f"<i class='lb-claimed lb-{side}'></i><i class='lb-zero'></i>{dots}"
        f"<i class='lb-bar' style='left: {at(low):.1f}%; width: {at(high) - at(low):.1f}%; "
        f"background: {color}'></i>"
        f"<i class='lb-dot' style='left: {at(difference):.1f}%; background: {color}'></i>"
        f"<small class='lb-left'>{format_signed(-span)}</small><small class='lb-middle'>0</small>"
        f"<small class='lb-right'>{format_signed(span)}</small></span>"
    )


def _claim_html(
    claim: Json,
    looks: Mapping[str, ArmStyle],
    theme: Theme,
    seeds: Mapping[str, Sequence[float]],
) -> str:
    sign, word = VERDICT_TEXTS[claim["verdict"]]
    first = next(
        (row for row in claim["evidence"] if row["mean_difference"] is not None),
        claim["evidence"][0],
    )
    ours = "<span class='lb-ours'>our own claim</span>" if claim["id"] == OWN_CLAIM else ""
    picture = difference_picture(first, looks, theme, seeds.get(first["metric"], ()))
    return (
        f"<details class='lb-claim lb-{claim['verdict']}' data-claim='{claim['id']}'><summary>"
        f"<span class='lb-word'><b aria-hidden='true'>{sign}</b>{word}</span>"
        f"<span class='lb-text'>{claim['id']}. {escape(claim['text'])} {ours}"
        f"<small>{escape(first['label'])}</small></span>"
        f"<span>{picture}</span>"
        f"<span class='lb-figures'>{_figures_html(first)}</span>"
        f"<span class='lb-paper'>{_paper_text(claim)}</span></summary>"
        f"<div><p>{escape(claim['reason'])}</p>{_evidence_table(claim)}{_reported_list(claim)}</div></details>"
    )


def _paper_text(claim: Json) -> str:
    """Return the paper's first reported value; the open card lists all of them."""
    if not claim["reported"]:
        return "No paper reports a value."
    one = claim["reported"][0]
    unit = f" {escape(one['unit'])}" if one["unit"] else ""
    more = len(claim["reported"]) - 1
    others = f" and {more} more inside" if more else ""
    return (
        f"Paper, second-hand: {format_number(one['a'])} contrastive, "
        f"{format_number(one['b'])} triplet{unit} ({escape(one['what'])}){others}"
    )


def _figures_html(row: Json) -> str:
    if row["mean_difference"] is None:
        return "<b>–</b>"
    sides = ""
    if row["mean_a"] is not None and row["mean_b"] is not None:
        sides = (
            f"<small>{format_number(row['mean_a'])} against {format_number(row['mean_b'])}</small>"
        )
    interval = ""
    if row["interval"]:
        low, high = row["interval"]
        interval = f"<small>95 %: {format_signed(low)} … {format_signed(high)}</small>"
    mean = format_signed(row["mean_difference"])
    return f"<b>{mean}</b>{interval}{sides}<small>n = {row['n']}</small>"


def _evidence_table(claim: Json) -> str:
    """Return the table of all metrics by which a claim is judged, with all their numbers."""
    body = "".join(
        f"<tr><th scope='row'>{escape(row['label'])}</th>"
        f"<td>{'greater' if row['expected'] == 'greater' else 'smaller'}</td>"
        + "".join(f"<td>{cell}</td>" for cell in _evidence_cells(row))
        + "</tr>"
        for row in claim["evidence"]
    )
    arms = claim["arms"]
    return (
        "<div class='lb-scroll'><table class='lb-table'><thead><tr><th scope='col'>Metric</th>"
        f"<th scope='col'>claimed: {escape(arms['a'])} is</th>"
        f"<th scope='col'>{escape(arms['a'])}</th><th scope='col'>{escape(arms['b'])}</th>"
        "<th scope='col'>difference</th><th scope='col'>95 % interval</th>"
        "<th scope='col'>p</th><th scope='col'>p, Holm</th><th scope='col'>effect g</th>"
        f"<th scope='col'>verdict</th></tr></thead><tbody>{body}</tbody></table></div>"
    )


def _evidence_cells(row: Json) -> list[str]:
    interval = row["interval"]
    shown = (
        "–" if interval is None else f"{format_signed(interval[0])} … {format_signed(interval[1])}"
    )
    difference = row["mean_difference"]
    return [
        _or_dash(row["mean_a"]),
        _or_dash(row["mean_b"]),
        "–" if difference is None else format_signed(difference),
        shown,
        _or_dash(row["p_value"]),
        _or_dash(row["p_holm"]),
        "–" if row["effect_size"] is None else format_signed(row["effect_size"]),
        VERDICT_TEXTS[row["verdict"]][1],
    ]


def _or_dash(value: float | None) -> str:
    return "–" if value is None else format_number(value)


def _reported_list(claim: Json) -> str:
    if not claim["reported"]:
        return ""
    rows = "".join(
        f"<li>{escape(row['what'])}: {format_number(row['a'])} contrastive, "
        f"{format_number(row['b'])} triplet"
        f"{' ' + escape(row['unit']) if row['unit'] else ''} "
        f"<small>({escape(row['source'])})</small></li>"
        for row in claim["reported"]
    )
    return f"<p class='lb-reported'>Reported elsewhere, read second-hand:</p><ul>{rows}</ul>"

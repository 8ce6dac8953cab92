"""The verdict on the nine claims as HTML; pure functions, every text escaped."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, Final

from frontend.comparison.html import swatch
from frontend.comparison.results_table import figure, signed
from frontend.ui.theme import ArmStyle, Theme

Json = Mapping[str, Any]

WORDS: Final = {
    "supported": ("✓", "Supported"),
    "contradicted": ("✗", "Contradicted"),
    "undecided": ("≈", "Undecided"),
    "not_measured": ("–", "Not measured"),
}
"""A sign and a word, so that no verdict is told by its colour alone."""

OURS: Final = 9
"""The claim that no paper makes."""

REACH: Final = 46.0
"""From zero in the middle to the farthest end of an interval, in per cent of the width."""


def card(
    verdict: Json,
    styles: Mapping[str, ArmStyle],
    theme: Theme,
    differences: Mapping[str, Sequence[float]] | None = None,
) -> str:
    """What to do, the summary, what to bear in mind, and a card for each claim.

    Args:
        verdict: the API's, with arms.
        styles: the arms' looks by name.
        theme: the viewer's.
        differences: by metric key, each seed's a - b, drawn above its mean.
    """
    arms = verdict["arms"]
    looks = {arm: styles[arms[arm]] for arm in ("a", "b")}
    caveats = "".join(f"<li>{escape(caveat)}</li>" for caveat in verdict["caveats"])
    seeds = differences or {}
    claims = "".join(_claim(claim, looks, theme, seeds) for claim in verdict["claims"])
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


def by_seed(metrics: Sequence[Json], a: str, b: str) -> dict[str, list[float]]:
    """By metric key, a - b of every seed at which both arms have a value that is not censored."""
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


def forest(
    row: Json, looks: Mapping[str, ArmStyle], theme: Theme, seeds: Sequence[float] = ()
) -> str:
    """A picture of one difference: zero in the middle, the claimed side shaded. Of plain elements,
    for the page lets no SVG through."""
    difference = row["mean_difference"]
    if difference is None:
        return ""
    low, high = row["interval"] or (difference, difference)
    span = max(abs(low), abs(high), abs(difference), *map(abs, seeds)) or 1.0

    def at(value: float) -> float:
        return 50 + REACH * value / span

    side = "right" if row["expected"] == "greater" else "left"
    color = (looks["a"] if difference > 0 else looks["b"]).color(theme)
    said = f"difference {signed(difference)}"
    if row["interval"]:
        said += f", 95 % interval {signed(low)} to {signed(high)}"
    dots = "".join(f"<i class='lb-seed' style='left: {at(value):.1f}%'></i>" for value in seeds)
    return (
        f"<span class='lb-forest' role='img' aria-label='{escape(said, quote=True)}' "
        f"title='{escape(said, quote=True)}'>"
        f"<i class='lb-claimed lb-{side}'></i><i class='lb-zero'></i>{dots}"
        f"<i class='lb-bar' style='left: {at(low):.1f}%; width: {at(high) - at(low):.1f}%; "
        f"background: {color}'></i>"
        f"<i class='lb-dot' style='left: {at(difference):.1f}%; background: {color}'></i>"
        f"<small class='lb-left'>{signed(-span)}</small><small class='lb-middle'>0</small>"
        f"<small class='lb-right'>{signed(span)}</small></span>"
    )


def _claim(
    claim: Json,
    looks: Mapping[str, ArmStyle],
    theme: Theme,
    seeds: Mapping[str, Sequence[float]],
) -> str:
    sign, word = WORDS[claim["verdict"]]
    first = next(
        (row for row in claim["evidence"] if row["mean_difference"] is not None),
        claim["evidence"][0],
    )
    ours = "<span class='lb-ours'>our own claim</span>" if claim["id"] == OURS else ""
    picture = forest(first, looks, theme, seeds.get(first["metric"], ()))
    return (
        f"<details class='lb-claim lb-{claim['verdict']}' data-claim='{claim['id']}'><summary>"
        f"<span class='lb-word'><b aria-hidden='true'>{sign}</b>{word}</span>"
        f"<span class='lb-text'>{claim['id']}. {escape(claim['text'])} {ours}"
        f"<small>{escape(first['label'])}</small></span>"
        f"<span>{picture}</span>"
        f"<span class='lb-figures'>{_figures(first)}</span>"
        f"<span class='lb-paper'>{_paper(claim)}</span></summary>"
        f"<div><p>{escape(claim['reason'])}</p>{_evidence(claim)}{_reported(claim)}</div></details>"
    )


def _paper(claim: Json) -> str:
    """What the paper says, in short; the card's inside names all of it."""
    if not claim["reported"]:
        return "No paper reports a value."
    one = claim["reported"][0]
    unit = f" {escape(one['unit'])}" if one["unit"] else ""
    more = len(claim["reported"]) - 1
    others = f" and {more} more inside" if more else ""
    return (
        f"Paper, second-hand: {figure(one['a'])} contrastive, {figure(one['b'])} triplet{unit} "
        f"({escape(one['what'])}){others}"
    )


def _figures(row: Json) -> str:
    if row["mean_difference"] is None:
        return "<b>–</b>"
    sides = ""
    if row["mean_a"] is not None and row["mean_b"] is not None:
        sides = f"<small>{figure(row['mean_a'])} against {figure(row['mean_b'])}</small>"
    interval = ""
    if row["interval"]:
        low, high = row["interval"]
        interval = f"<small>95 %: {signed(low)} … {signed(high)}</small>"
    return f"<b>{signed(row['mean_difference'])}</b>{interval}{sides}<small>n = {row['n']}</small>"


def _evidence(claim: Json) -> str:
    """Every metric that the claim is judged by, with all its figures."""
    body = "".join(
        f"<tr><th scope='row'>{escape(row['label'])}</th>"
        f"<td>{'greater' if row['expected'] == 'greater' else 'smaller'}</td>"
        + "".join(f"<td>{cell}</td>" for cell in _cells(row))
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


def _cells(row: Json) -> list[str]:
    interval = row["interval"]
    shown = "–" if interval is None else f"{signed(interval[0])} … {signed(interval[1])}"
    difference = row["mean_difference"]
    return [
        _or_dash(row["mean_a"]),
        _or_dash(row["mean_b"]),
        "–" if difference is None else signed(difference),
        shown,
        _or_dash(row["p_value"]),
        _or_dash(row["p_holm"]),
        "–" if row["effect_size"] is None else signed(row["effect_size"]),
        WORDS[row["verdict"]][1],
    ]


def _or_dash(value: float | None) -> str:
    return "–" if value is None else figure(value)


def _reported(claim: Json) -> str:
    if not claim["reported"]:
        return ""
    rows = "".join(
        f"<li>{escape(row['what'])}: {figure(row['a'])} contrastive, {figure(row['b'])} triplet"
        f"{' ' + escape(row['unit']) if row['unit'] else ''} "
        f"<small>({escape(row['source'])})</small></li>"
        for row in claim["reported"]
    )
    return f"<p class='lb-reported'>Reported elsewhere, read second-hand:</p><ul>{rows}</ul>"

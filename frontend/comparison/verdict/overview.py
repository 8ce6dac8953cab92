"""The whole verdict: advice and rule on top, then the forest plot of all claims, then caveats."""

from collections.abc import Mapping, Sequence
from functools import cache
from html import escape
from pathlib import Path
from typing import Any, Final

from frontend.comparison.tables_html import swatch
from frontend.comparison.verdict.claim import claim_html
from frontend.comparison.verdict.figures import noun, rule_text
from frontend.comparison.verdict.forest import legend_html
from frontend.comparison.verdict.more_replicates import halving_text
from frontend.ui.theme import ArmStyle, Theme

Json = Mapping[str, Any]
Seeds = Mapping[str, Sequence[float]]
STYLE_FILE: Final = Path(__file__).parent / "verdict.css"


@cache
def verdict_style() -> str:
    """Return the CSS of the verdict."""
    return STYLE_FILE.read_text(encoding="utf-8")


def verdict_html(
    verdict: Json,
    styles: Mapping[str, ArmStyle],
    theme: Theme,
    differences: Seeds | None = None,
) -> str:
    """Return the whole verdict.

    Args:
        verdict: the API's verdict, with arms.
        styles: styles of the arms by name.
        theme: the viewer's theme.
        differences: the difference a - b of each seed by metric key, drawn as dots.
    """
    halving = halving_text(verdict)
    more = f"<p class='lb-key'>{escape(halving)}</p>" if halving else ""
    return head_html(verdict) + more + claims_html(verdict, styles, theme, differences)


def head_html(verdict: Json) -> str:
    """Return the advice, the summary, what varied, the rule, and the arms that did not train."""
    advice = verdict.get("advice", "")
    said = f"<p class='lb-advice'>{escape(advice)}</p>" if advice else ""
    rule = f"<p class='lb-rule'>{escape(rule_text(verdict))}</p>"
    return (
        f"<div class='lb-verdict'>{_states_html(verdict)}{said}"
        f"<p class='lb-sum'>{escape(verdict['summary'])}</p>{rule}</div>"
    )


def claims_html(
    verdict: Json,
    styles: Mapping[str, ArmStyle],
    theme: Theme,
    differences: Seeds | None = None,
) -> str:
    """Return the forest plot, each claim of which opens, and the caveats."""
    arms, kind = verdict["arms"], noun(verdict)
    a, b = (f"{swatch(styles[arms[key]], theme)}{escape(arms[key])}" for key in ("a", "b"))
    claims = "".join(claim_html(claim, kind, differences or {}) for claim in verdict["claims"])
    caveats = "".join(f"<li>{escape(caveat)}</li>" for caveat in verdict["caveats"])
    return (
        f"<div class='lb-verdict'><p class='lb-key'>{a} minus {b}, paired by {kind}. Open a claim "
        f"for all its figures.</p>{legend_html(kind)}"
        "<div class='lb-claims'><p class='lb-sides' aria-hidden='true'><span>"
        f"<span>← greater in {b}</span><span>greater in {a} →</span></span></p>{claims}</div>"
        f"<ul class='lb-caveats'>{caveats}</ul></div>"
    )


def _states_html(verdict: Json) -> str:
    """Return a banner for each arm that did not train, with what to do."""
    return "".join(
        "<p class='lb-warned' role='note'><b aria-hidden='true'>!</b>"
        f"<span>{escape(one['said'])}</span></p>"
        for one in verdict.get("arm_states") or ()
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

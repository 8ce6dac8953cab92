"""The whole verdict: advice and rule on top, then the forest plot of all claims, then caveats."""

from collections.abc import Mapping
from functools import cache
from html import escape
from pathlib import Path
from typing import Any, Final

from frontend.comparison.tables_html import swatch
from frontend.comparison.verdict.claim import claim_html
from frontend.comparison.verdict.figures import not_trained, noun, rule_text, summary_text
from frontend.comparison.verdict.forest import legend_html
from frontend.comparison.verdict.more_replicates import halving_text
from frontend.ui.theme import ArmStyle, Theme

Json = Mapping[str, Any]
STYLE_FILE: Final = Path(__file__).parent / "verdict.css"


@cache
def verdict_style() -> str:
    """Return the CSS of the verdict."""
    return STYLE_FILE.read_text(encoding="utf-8")


def verdict_html(
    verdict: Json,
    styles: Mapping[str, ArmStyle],
    theme: Theme,
) -> str:
    """Return the whole verdict.

    Args:
        verdict: the API's verdict, with arms.
        styles: styles of the arms by name.
        theme: the viewer's theme.
    """
    halving = halving_text(verdict)
    more = f"<p class='lb-key'>{escape(halving)}</p>" if halving else ""
    return head_html(verdict) + more + claims_html(verdict, styles, theme)


def head_html(verdict: Json) -> str:
    """Return the advice, the summary, what varied, the rule, and the arms that did not train."""
    advice = verdict["advice"]
    said = f"<p class='lb-advice'>{escape(advice)}</p>" if advice else ""
    rule = f"<p class='lb-rule'>{escape(rule_text(verdict))}</p>"
    return (
        f"<div class='lb-verdict'>{_states_html(verdict)}{said}"
        f"<p class='lb-sum'>{escape(summary_text(verdict))}</p>{rule}</div>"
    )


def claims_html(
    verdict: Json,
    styles: Mapping[str, ArmStyle],
    theme: Theme,
) -> str:
    """Return the forest plot, each claim of which opens, and the caveats."""
    arms, kind = verdict["arms"], noun(verdict)
    a, b = (f"{swatch(styles[arms[key]], theme)}{escape(arms[key])}" for key in ("a", "b"))
    claims = "".join(claim_html(claim, kind) for claim in verdict["claims"])
    caveats = "".join(f"<li>{escape(caveat)}</li>" for caveat in verdict["caveats"])
    return (
        f"<div class='lb-verdict'><p class='lb-key'>{a} minus {b}, paired by {kind}. Open a claim "
        f"for all its figures.</p>{legend_html(kind)}"
        "<div class='lb-claims'><p class='lb-sides' aria-hidden='true'><span>"
        f"<span>← greater in {b}</span><span>greater in {a} →</span></span></p>{claims}</div>"
        f"<ul class='lb-caveats'>{caveats}</ul></div>"
    )


def _states_html(verdict: Json) -> str:
    """Return a banner for each arm that was not trained."""
    return "".join(
        "<p class='lb-untrained-arm' role='note'><b aria-hidden='true'>!</b>"
        f"<span>{escape(said)}</span></p>"
        for said in not_trained(verdict)
    )

"""What the page of a comparison says above its tabs' contents while it is tuned, as HTML."""

from collections.abc import Mapping
from html import escape

from frontend.api.types import ComparisonDetail, Trial, TunedArm
from frontend.comparison.tuning.texts import params_text, search_text
from frontend.ui.text import STATE_TEXTS, duration


def search_html(comparison: ComparisonDetail) -> str:
    """Return how far the search is, with a bar; the live line counts final runs only."""
    state, share = comparison["state"], comparison["progress"]
    said = "▶ searching" if state == "running" else STATE_TEXTS[state]
    parts = [escape(search_text(comparison))]
    if state == "running":
        parts.append(f"{100 * share:.0f} % of all runs")
        if left := duration(comparison["eta_s"]):
            parts.append(f"about {left} left")
    return (
        f"<div class='lb-slot'><p><b>{said}</b> <span>{' · '.join(parts)}</span></p>"
        "<div class='lb-share' role='progressbar' aria-label='Progress of the search' "
        f"aria-valuemin='0' aria-valuemax='100' aria-valuenow='{100 * share:.0f}'>"
        f"<i style='width: {100 * share:.1f}%'></i></div></div>"
    )


def trial_html(arm: TunedArm, trial: Trial, run: str, titles: Mapping[str, str]) -> str:
    """Return which run's curves are shown in place of the final runs'.

    Args:
        arm: its arm.
        trial: its trial.
        run: its id.
        titles: of the searched settings, by path.
    """
    own = next(one for one in trial["runs"] if one["id"] == run)
    fold = "" if own["fold"] is None else f", fold {own['fold'] + 1}"
    return (
        f"<p class='lb-key'>Curves of one run: <b>{escape(arm['name'])}, trial {trial['number']}"
        f"</b>, seed {own['seed']}{fold}; {escape(params_text(trial['params'], titles))}. It is "
        "measured on validation data, by the family of the objective alone.</p>"
    )

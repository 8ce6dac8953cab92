"""The arms of a search as an HTML table, and its trials as rows."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, Final

from frontend.api.types import TunedArm, Tuning
from frontend.comparison.tables_html import swatch
from frontend.comparison.tuning.texts import (
    OVER,
    STATE_TEXTS,
    counted,
    number_or_dash,
    params_text,
    space_text,
    trial_at,
    value_text,
)
from frontend.ui.numbers import format_signed
from frontend.ui.table_html import table_html
from frontend.ui.text import duration
from frontend.ui.theme import ArmStyle, Theme

_HEADS: Final = (
    ("Best", "Value of the best trial on validation data"),
    ("As written", "Value of the arm as it is written, its first trial"),
    ("Gain", "The best minus the arm as it is written"),
    ("Within 1 %", "Share of complete trials within 1 % of the best: how easy the arm is to tune"),
    ("Trials", "Complete and failed ones; both count against the budget"),
    ("Training time", "Of all its trials"),
)


def arms_html(found: Tuning, styles: Mapping[str, ArmStyle], theme: Theme) -> str:
    """Return a table with a row for each arm, every text escaped."""
    heads = "".join(
        f"<th scope='col' title='{escape(meaning, quote=True)}'>{title}</th>"
        for title, meaning in _HEADS
    )
    body = "".join(
        f"<tr><th scope='row'>{swatch(styles[arm['name']], theme)}{escape(arm['name'])}</th>"
        + "".join(f"<td>{cell}</td>" for cell in _cells(arm, int(found["tuning"]["trials"])))
        + "</tr>"
        for arm in found["arms"]
    )
    return table_html("Best trial of each arm", f"<td></td>{heads}", body, kind="lb-plain")


def settings_html(
    found: Tuning, styles: Mapping[str, ArmStyle], theme: Theme, titles: Mapping[str, str]
) -> str:
    """Return a table of the settings of each arm's best trial with the spaces that were searched.

    Args:
        found: the search.
        styles: of the arms by name.
        theme: the viewer's theme.
        titles: of the searched settings, by path.
    """
    heads = "".join(
        f"<th scope='col'>{swatch(styles[arm['name']], theme)}{escape(arm['name'])}</th>"
        for arm in found["arms"]
    )
    body = "".join(
        f"<tr><th scope='row'>{escape(title)}</th>"
        + "".join(f"<td>{_setting(arm, path)}</td>" for arm in found["arms"])
        + "</tr>"
        for path, title in titles.items()
    )
    return table_html("Settings of the best trials", f"<td></td>{heads}", body, kind="lb-plain")


def trial_rows(found: Tuning, titles: Mapping[str, str], label: str) -> list[dict[str, Any]]:
    """Return a row for each trial, arm by arm, with a column for each searched setting.

    Args:
        found: the search.
        titles: of the searched settings, by path; columns of a table that can be sorted.
        label: of the objective.
    """
    texts = [path for path in titles if _is_text(found["arms"], path)]
    return [
        {
            "Arm": arm["name"],
            "Trial": trial["number"],
            "": _mark(arm, trial["number"]),
            "State": STATE_TEXTS[trial["state"]],
            label: trial["value"],
            "Best epoch": trial["epochs"],
            **{
                title: _cell(trial["params"].get(path), is_text=path in texts)
                for path, title in titles.items()
            },
        }
        for arm in found["arms"]
        for trial in arm["trials"]
    ]


def best_text(arm: TunedArm, titles: Mapping[str, str]) -> str:
    """Return the settings of an arm's best trial; "" before one is complete."""
    best = trial_at(arm, arm["best"])
    return "" if best is None else params_text(best["params"], titles)


def _cells(arm: TunedArm, budget: int) -> list[str]:
    best, written = (trial_at(arm, arm[one]) for one in ("best", "default"))
    top = None if best is None else best["value"]
    base = None if written is None else written["value"]
    failed = counted(arm, "failed")
    lost = f"<small>{failed} failed</small>" if failed else ""
    return [
        f"<b>{number_or_dash(top)}</b>"
        + ("" if best is None else f"<small>trial {best['number']}</small>"),
        number_or_dash(base),
        "–" if top is None or base is None else format_signed(top - base),
        "–" if arm["near_best"] is None else f"{arm['near_best']:.0%}".replace("%", " %"),
        f"{counted(arm, *OVER)} of {max(budget, len(arm['trials']))}{lost}",
        duration(arm["spent_s"]) or "–",
    ]


def _setting(arm: TunedArm, path: str) -> str:
    if path not in arm["space"]:
        return "–"
    best = trial_at(arm, arm["best"])
    if best is None:
        shown = "–"
    elif path in best["params"]:
        shown = value_text(best["params"][path])
    else:
        shown = "as written"
    return f"<b>{escape(shown)}</b><small>{escape(space_text(arm['space'][path]))}</small>"


def _mark(arm: TunedArm, number: int) -> str:
    marks = ("best" if number == arm["best"] else "", _written(arm, number))
    return ", ".join(filter(None, marks))


def _written(arm: TunedArm, number: int) -> str:
    return "as written" if number == arm["default"] else ""


def _is_text(arms: Sequence[TunedArm], path: str) -> bool:
    values = (trial["params"].get(path) for arm in arms for trial in arm["trials"])
    return any(isinstance(value, str) for value in values)


def _cell(value: float | str | None, *, is_text: bool) -> float | str | None:
    if value is None:
        return None
    return value_text(value) if is_text else value

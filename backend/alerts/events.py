"""What people are told of, and the words for it."""

from collections.abc import Mapping
from typing import Any, Final, Literal, get_args

from backend.db.models import Comparison, Run
from contract.metrics.states import State

AlertType = Literal[
    "comparison.ended",
    "run.failed",
    "run.diverged",
    "arm.collapsed",
    "arm.below_backbone",
    "arm.below_untrained",
]
TYPES: Final[tuple[AlertType, ...]] = get_args(AlertType)
TEST: Final = "test"
"""The type of an alert that somebody sends to see whether it arrives."""
OF_STATES: Final[Mapping[str, AlertType]] = {
    "collapsed": "arm.collapsed",
    "below_backbone": "arm.below_backbone",
    "below_untrained": "arm.below_untrained",
}
"""State of a run -> what is told of its arm."""
_SAID: Final[Mapping[AlertType, str]] = {
    "arm.collapsed": "has collapsed",
    "arm.below_backbone": "is below its raw backbone",
    "arm.below_untrained": "is below its untrained network",
}
DIVERGED: Final[State] = "overflow"
"""The state in which a run that diverged ends."""
MAX_SAID: Final = 1000
"""Characters that are passed on of what a run says."""

Content = dict[str, Any]
"""{"text", "data"} of an alert's body."""


def comparison_ended(comparison: Comparison, state: str, runs: Mapping[str, int]) -> Content:
    """Return the content of the alert that no run of a comparison is open any more.

    Args:
        comparison: which.
        state: its state now.
        runs: state -> number of its runs, those of trials included.
    """
    counts = {one: count for one, count in runs.items() if count}
    said = ", ".join(f"{count} {one}" for one, count in counts.items())
    text = f"{_quoted(comparison)} has ended: {said or 'no runs'}."
    return _content(text, comparison, state=state, runs=counts)


def run_ended(comparison: Comparison, run: Run) -> tuple[AlertType, Content]:
    """Return type and content of the alert that the first run of an arm has failed, or has
    diverged."""
    diverged = any(one["state"] == DIVERGED for one in run.states)
    said = str((run.error or {}).get("message", ""))[:MAX_SAID]
    verb = "diverged" if diverged else "failed"
    text = f"{_quoted(comparison)}: the run of {run.arm} with seed {run.seed} {verb}: {said}"
    kind: AlertType = "run.diverged" if diverged else "run.failed"
    return kind, _content(text, comparison, run=run, message=said)


def arm_in_state(comparison: Comparison, run: Run, state: str) -> tuple[AlertType, Content] | None:
    """Return type and content of the alert that the first run of an arm got into a state; None if
    that state is not told."""
    kind = OF_STATES.get(state)
    if kind is None:
        return None
    one = next((one for one in run.states if one["state"] == state), {"step": 0, "message": ""})
    said = str(one["message"])[:MAX_SAID]
    where = f"seed {run.seed}, step {one['step']}"
    text = f"{_quoted(comparison)}: {run.arm} {_SAID[kind]} ({where}). {said}"
    return kind, _content(text, comparison, run=run, message=said, step=one["step"])


def content_of_test(comparison: Comparison | None) -> Content:
    """Return the content of a test."""
    where = f" of {_quoted(comparison)}" if comparison else ""
    return _content(f"This is a test of the alerts{where}.", comparison)


def body(kind: str, at: str, content: Mapping[str, Any], public_url: str) -> dict[str, Any]:
    """Return the body that receivers get.

    Args:
        kind: the alert's type.
        at: when it happened.
        content: of the alert.
        public_url: where people open the dashboard; empty if that is not known.
    """
    data = dict(content["data"])
    text = escaped(str(content["text"]))
    if data["comparison"] is not None:
        url = page_url(public_url, data["comparison"]["id"])
        data["comparison"] = {**data["comparison"], "url": url}
        text += f"\n{url}" if url else ""
    return {"type": kind, "timestamp": at, "text": text, "data": data}


def page_url(public_url: str, comparison: str) -> str | None:
    """Return the address of a comparison's page; None if that is not known."""
    return f"{public_url}/comparison?id={comparison}" if public_url else None


def escaped(text: str) -> str:
    """Return a text in which Slack finds no markup, such as a mention of everybody."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _content(
    text: str, comparison: Comparison | None, *, run: Run | None = None, **more: object
) -> Content:
    of_run = {} if run is None else {"run": run.id, "arm": run.arm, "seed": run.seed}
    named = None if comparison is None else {"id": comparison.id, "name": comparison.name}
    return {"text": text, "data": {"comparison": named, **of_run, **more}}


def _quoted(comparison: Comparison) -> str:
    return f"“{comparison.name}”"

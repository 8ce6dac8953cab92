"""The spec of a comparison from which the form is filled, as it is or with settings of a search."""

from collections.abc import Mapping
from typing import Any, Final

from frontend.api.client import Api
from frontend.api.types import ComparisonDetail
from frontend.comparison.tuning.use_arm import spec_with_trial

SETTINGS: Final = ("settings", "arm", "trial")
"""Query parameters of the address beside `from`: `settings=best` for each arm's best settings, or
an arm and the number of a trial whose settings it gets."""


def copied_spec(
    client: Api,
    comparison: ComparisonDetail,
    asked: Mapping[str, str],
    catalogue: Mapping[str, Any],
) -> tuple[Mapping[str, Any], str]:
    """Return the spec, and a note on what of the address could not be followed; or "".

    Name, tags and notes are those that the comparison has now: its spec keeps those of its start.

    Args:
        client: the session's client.
        comparison: the comparison.
        asked: the query parameters of the address.
        catalogue: the API's catalogue.

    Raises:
        ApiError: the API does not give its search.
    """
    texts = {"name": comparison["name"], "tags": comparison["tags"], "notes": comparison["notes"]}
    spec = {**comparison["spec"], **texts}
    if not any(name in asked for name in SETTINGS):
        return spec, ""
    if spec.get("tuning") is None:
        return spec, "This comparison has no search whose settings could be written in."
    found = client.tuning(comparison["id"])
    arm, trial = asked.get("arm", ""), asked.get("trial")
    number = int(trial) if trial and trial.isdecimal() and len(trial) < 6 else None
    try:
        return spec_with_trial(spec, found, catalogue, arm=arm, trial=number), ""
    except KeyError:
        best = spec_with_trial(spec, found, catalogue)
        return best, f"There is no trial {trial} of an arm “{arm}”; these are the best settings."

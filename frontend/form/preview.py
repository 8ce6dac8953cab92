"""What the form would start, read from the API and shown beside the button."""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from frontend.api.client import Api
from frontend.api.types import Preview
from frontend.errors import ApiError, FieldProblem

FRESH_S: Final = 15.0
"""How long a preview is shown for an unchanged form before it is read again: the time that runs
take and the queue change meanwhile."""


@dataclass(frozen=True)
class Answer:
    """The API's answer to one spec."""

    preview: Preview | None = None
    problems: Sequence[FieldProblem] = ()
    """Why the spec is not valid."""
    away: str = ""
    """Why there is no answer; empty if there is one."""


class PreviewReader:
    """Reads previews, each once: a rerun of the page with the same spec asks nothing."""

    def __init__(self) -> None:
        self._spec = ""
        self._answer = Answer()
        self._read_at = -FRESH_S

    def read(self, client: Api, spec: Mapping[str, Any]) -> Answer:
        """Return the preview of a spec."""
        text = json.dumps(spec, sort_keys=True, default=str)
        now = time.monotonic()
        if text != self._spec or now - self._read_at > FRESH_S:
            self._answer = _asked(client, spec)
            self._spec, self._read_at = text, now
            if self._answer.away:
                self._spec = ""  # asked again at the next rerun
        return self._answer


def _asked(client: Api, spec: Mapping[str, Any]) -> Answer:
    try:
        return Answer(client.preview(spec))
    except ApiError as error:
        if error.fields:
            return Answer(problems=error.fields)
        return Answer(away=error.message)

"""What the API exports, as types; docs/API.md says what each field means."""

from typing import Any, TypedDict

from frontend.api.types import ComparisonDetail, Run, Summary, Verdict


class Everything(TypedDict):
    """All that is known of a comparison but its curves; `spec` is what `create` takes."""

    format: str
    made_at: str
    versions: dict[str, str]
    comparison: ComparisonDetail
    spec: dict[str, Any]
    runs: list[Run]
    summary: Summary
    verdict: Verdict

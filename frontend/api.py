"""The client of the HTTP API: what the pages use, and scripts may too.

    with httpx.Client(base_url="http://127.0.0.1:8500") as http:
        api = Api(http)
        comparison = api.create(api.catalogue()["presets"][0]["spec"])
        print(api.summary(comparison["id"]))

Every method raises ApiError, or one of its kinds, and nothing else. Answers are the API's JSON;
docs/API.md describes them.
"""

from collections.abc import Mapping, Sequence
from typing import Any, BinaryIO, Final, TypeVar, cast
from urllib.parse import quote

import httpx

from frontend.api_types import (
    Catalogue,
    ComparisonDetail,
    ComparisonPage,
    Dataset,
    DatasetDetail,
    DatasetList,
    Log,
    Nothing,
    Ready,
    Run,
    RunList,
    Series,
    SeriesList,
    Summary,
    Verdict,
    Worker,
    WorkerList,
)
from frontend.errors import ApiAwayError, ApiError, FieldProblem, MissingError

PREFIX: Final = "/api/v1"
AWAY: Final = (502, 503, 504)
"""Statuses by which the API, or a proxy before it, says: not now."""

UPLOAD: Final = httpx.Timeout(2000.0, connect=3.0)
"""The answer comes when every row has been checked; the API takes half an hour for it at most."""

Shape = TypeVar("Shape")


class Api:
    """Calls the API through a client whose base address is the API's, without the prefix."""

    def __init__(self, http: httpx.Client) -> None:
        self._http = http

    def catalogue(self) -> Catalogue:
        """What can be chosen and measured: rows with texts and the JSON schemas of settings."""
        return self._call(Catalogue, "GET", "/catalogue")

    def comparisons(
        self, *, q: str = "", tag: str = "", state: str = "", page: int = 1, page_size: int = 50
    ) -> ComparisonPage:
        """One page of the comparisons that match, newest first, and how many match in all."""
        asked = {"q": q, "tag": tag, "state": state, "page": page, "page_size": page_size}
        params = {name: value for name, value in asked.items() if value}
        return self._call(ComparisonPage, "GET", "/comparisons", params=params)

    def comparison(self, comparison: str) -> ComparisonDetail:
        """One comparison with its spec."""
        return self._call(ComparisonDetail, "GET", f"/comparisons/{_part(comparison)}")

    def create(self, spec: Mapping[str, Any]) -> ComparisonDetail:
        """Store a comparison and queue its runs; the problems of a bad spec are in the error."""
        return self._call(ComparisonDetail, "POST", "/comparisons", body=spec)

    def patch(self, comparison: str, **changes: Any) -> ComparisonDetail:
        """Change `name`, `tags` or `notes`."""
        path = f"/comparisons/{_part(comparison)}"
        return self._call(ComparisonDetail, "PATCH", path, body=changes)

    def delete(self, comparison: str) -> None:
        """Cancel a comparison and delete all that it has."""
        self._call(Nothing, "DELETE", f"/comparisons/{_part(comparison)}")

    def cancel(self, comparison: str) -> ComparisonDetail:
        """Cancel its queued and running runs."""
        return self._call(ComparisonDetail, "POST", f"/comparisons/{_part(comparison)}/cancel")

    def retry(self, comparison: str) -> ComparisonDetail:
        """Queue its failed and cancelled runs again."""
        return self._call(ComparisonDetail, "POST", f"/comparisons/{_part(comparison)}/retry")

    def runs(self, comparison: str) -> list[Run]:
        """Its runs with state, progress and error."""
        return self._call(RunList, "GET", f"/comparisons/{_part(comparison)}/runs")["runs"]

    def cancel_run(self, run: str) -> Run:
        """Cancel one run."""
        return self._call(Run, "POST", f"/runs/{_part(run)}/cancel")

    def retry_run(self, run: str) -> Run:
        """Queue one failed or cancelled run again."""
        return self._call(Run, "POST", f"/runs/{_part(run)}/retry")

    def run_log(self, run: str) -> list[str]:
        """The lines of a run's log."""
        return self._call(Log, "GET", f"/runs/{_part(run)}/log")["lines"]

    def series(
        self,
        runs: Sequence[str],
        keys: Sequence[str] = (),
        *,
        after: int = -1,
        max_points: int = 1000,
    ) -> list[Series]:
        """Points beyond step `after`; thinned, spikes kept, where there are more than asked for."""
        params = {"run": runs, "key": keys, "after": after, "max_points": max_points}
        return self._call(SeriesList, "GET", "/series", params=params)["series"]

    def summary(self, comparison: str, baseline: str = "") -> Summary:
        """Arms x metrics with mean, sd, n and the 95 % interval over seeds; and each arm against
        the baseline, paired by seed, the first arm unless named."""
        params = {"baseline": baseline} if baseline else {}
        path = f"/comparisons/{_part(comparison)}/summary"
        return self._call(Summary, "GET", path, params=params)

    def verdict(self, comparison: str, a: str = "", b: str = "") -> Verdict:
        """The nine claims judged by two arms; the first contrastive and triplet unless named."""
        params = {name: arm for name, arm in (("a", a), ("b", b)) if arm}
        path = f"/comparisons/{_part(comparison)}/verdict"
        return self._call(Verdict, "GET", path, params=params)

    def datasets(self) -> list[Dataset]:
        """The uploaded data sets, newest first."""
        return self._call(DatasetList, "GET", "/datasets")["datasets"]

    def dataset(self, dataset: str) -> DatasetDetail:
        """One of them, with its classes' sizes and what its thumbnails show."""
        return self._call(DatasetDetail, "GET", f"/datasets/{_part(dataset)}")

    def upload(self, name: str, kind: str, file: BinaryIO, filename: str) -> Dataset:
        """Upload a data set; the problems of its rows are in the error.

        Args:
            name: for people.
            kind: image_folder, features or paired_features.
            file: its content, read as it is sent.
            filename: whose ending tells the format.
        """
        files = {"file": (filename, file, "application/octet-stream")}
        sent = {"data": {"name": name, "kind": kind}, "files": files, "timeout": UPLOAD}
        return self._call(Dataset, "POST", "/datasets", sent=sent)

    def delete_dataset(self, dataset: str) -> None:
        """Delete an upload that no comparison names."""
        self._call(Nothing, "DELETE", f"/datasets/{_part(dataset)}")

    def workers(self) -> list[Worker]:
        """The worker slots: what each does and when it was last seen."""
        return self._call(WorkerList, "GET", "/workers")["workers"]

    def ready(self) -> Ready:
        """Whether database and broker answer the API; no error where they do not."""
        return self._call(Ready, "GET", "/health/ready", also=503)

    def _call(
        self,
        shape: type[Shape],
        method: str,
        path: str,
        *,
        params: Any = None,
        body: Mapping[str, Any] | None = None,
        sent: Mapping[str, Any] | None = None,
        also: int = 200,
    ) -> Shape:
        """The JSON of a good answer, or of one with the status `also`; it has the shape's keys.

        `sent` stands for the body where that is no JSON, in httpx's own arguments.
        """
        answer = self._send(method, path, params, {"json": body} if sent is None else sent)
        try:
            content = answer.json() if answer.content else {}
        except ValueError as error:
            raise self._not_ours(answer) from error
        if not (answer.is_success or answer.status_code == also):
            raise _refusal(answer.status_code, content)
        needed: frozenset[str] = shape.__dict__["__required_keys__"]
        if not (isinstance(content, dict) and needed <= content.keys()):
            raise self._not_ours(answer)
        return cast(Shape, content)

    def _send(self, method: str, path: str, params: Any, sent: Mapping[str, Any]) -> httpx.Response:
        """The answer, whatever it says."""
        try:
            request = self._http.build_request(method, f"{PREFIX}{path}", params=params, **sent)
        except (TypeError, ValueError, httpx.InvalidURL) as error:
            raise ApiError("invalid_request", f"This cannot be sent: {error}.") from error
        try:
            return self._http.send(request)
        except httpx.TransportError as error:
            raise ApiAwayError(
                "api_unavailable",
                f"The API at {self._http.base_url} does not answer ({type(error).__name__}). Is "
                "`python -m launcher up` running? Its lines say what is wrong.",
            ) from error
        except httpx.HTTPError as error:
            raise ApiError("bad_answer", f"The API's answer is broken: {error}.") from error

    def _not_ours(self, answer: httpx.Response) -> ApiError:
        """What to say of an answer that the API does not give."""
        status = answer.status_code
        if status in AWAY:
            return ApiAwayError(
                "api_unavailable",
                f"Something between here and the API answers {status} for it. Does the API run?",
                status=status,
            )
        return ApiError(
            "not_the_api",
            f"{self._http.base_url} answered {status} with something that Lossboard's API does "
            "not say; is it that API, and of this version?",
            status=status,
        )


def _refusal(status: int, content: Any) -> ApiError:
    kind = MissingError if status == 404 else ApiAwayError if status in AWAY else ApiError
    said = content if isinstance(content, dict) else {}
    fields = [
        FieldProblem(str(field.get("path", "")), str(field.get("message", "")))
        for field in said.get("fields") or ()
        if isinstance(field, dict)
    ]
    return kind(
        str(said.get("error", status)),
        str(said.get("message", f"The API answered with status {status}.")),
        fields,
        status=status,
    )


def _part(name: str) -> str:
    """An id as one part of a path, whatever an address put there."""
    if name in ("", ".", ".."):  # no escape keeps these from being read as another path
        raise MissingError("not_found", f"There is no {name!r}.")
    return quote(name, safe="", errors="replace")

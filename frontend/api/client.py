"""The client of the HTTP API: what the pages use, and scripts may too.

    with httpx.Client(base_url="http://127.0.0.1:8500") as http:
        api = Api(http)
        comparison = api.create(api.catalogue()["presets"][0]["spec"])
        print(api.summary(comparison["id"]))

Every method raises ApiError, or one of its kinds, and nothing else. Answers are the API's JSON;
docs/API.md describes them.
"""

from collections.abc import Mapping, Sequence
from typing import Any, BinaryIO, Final

import httpx

from frontend.api.access import AccessCalls
from frontend.api.arms import ArmsCalls
from frontend.api.export import ExportCalls
from frontend.api.space import SpaceCalls
from frontend.api.team import TeamCalls
from frontend.api.transport import part
from frontend.api.types import (
    Catalogue,
    ComparisonDetail,
    ComparisonPage,
    Dataset,
    DatasetDetail,
    DatasetList,
    Log,
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

UPLOAD: Final = httpx.Timeout(2000.0, connect=3.0)
"""The answer comes when every row has been checked; the API takes half an hour for it at most."""


class Api(AccessCalls, ArmsCalls, ExportCalls, SpaceCalls, TeamCalls):
    """The whole API."""

    def catalogue(self) -> Catalogue:
        """What can be chosen and measured: rows with texts and the JSON schemas of settings."""
        return self._call(Catalogue, "GET", "/catalogue")

    def comparisons(
        self,
        *,
        q: str = "",
        tag: str = "",
        state: str = "",
        created_by: str = "",
        archived: bool = False,
        sort: str = "",
        page: int = 1,
        page_size: int = 50,
    ) -> ComparisonPage:
        """One page of the comparisons that match, and how many match in all.

        The newest first, or by `sort`: name or state; archived ones only where asked for.
        """
        asked = {"q": q, "tag": tag, "state": state, "created_by": created_by, "sort": sort}
        params: dict[str, Any] = {name: value for name, value in asked.items() if value}
        params |= {"archived": archived, "page": page, "page_size": page_size}
        return self._call(ComparisonPage, "GET", "/comparisons", params=params)

    def comparison(self, comparison: str) -> ComparisonDetail:
        """One comparison with its spec."""
        return self._call(ComparisonDetail, "GET", f"/comparisons/{part(comparison)}")

    def create(self, spec: Mapping[str, Any]) -> ComparisonDetail:
        """Store a comparison and queue its runs; the problems of a bad spec are in the error."""
        return self._call(ComparisonDetail, "POST", "/comparisons", body=spec)

    def patch(self, comparison: str, **changes: Any) -> ComparisonDetail:
        """Change `name`, `tags`, `notes` or `archived`."""
        path = f"/comparisons/{part(comparison)}"
        return self._call(ComparisonDetail, "PATCH", path, body=changes)

    def delete(self, comparison: str) -> None:
        """Cancel a comparison and delete all that it has."""
        self._delete(f"/comparisons/{part(comparison)}")

    def cancel(self, comparison: str) -> ComparisonDetail:
        """Cancel its queued and running runs."""
        return self._call(ComparisonDetail, "POST", f"/comparisons/{part(comparison)}/cancel")

    def retry(self, comparison: str) -> ComparisonDetail:
        """Queue its failed and cancelled runs again."""
        return self._call(ComparisonDetail, "POST", f"/comparisons/{part(comparison)}/retry")

    def runs(self, comparison: str) -> list[Run]:
        """Its runs with state, progress and error."""
        return self._call(RunList, "GET", f"/comparisons/{part(comparison)}/runs")["runs"]

    def cancel_run(self, run: str) -> Run:
        """Cancel one run."""
        return self._call(Run, "POST", f"/runs/{part(run)}/cancel")

    def retry_run(self, run: str) -> Run:
        """Queue one failed or cancelled run again."""
        return self._call(Run, "POST", f"/runs/{part(run)}/retry")

    def run_log(self, run: str) -> list[str]:
        """The lines of a run's log."""
        return self._call(Log, "GET", f"/runs/{part(run)}/log")["lines"]

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
        path = f"/comparisons/{part(comparison)}/summary"
        return self._call(Summary, "GET", path, params=params)

    def verdict(self, comparison: str, a: str = "", b: str = "") -> Verdict:
        """The nine claims judged by two arms; the first contrastive and triplet unless named."""
        params = {name: arm for name, arm in (("a", a), ("b", b)) if arm}
        path = f"/comparisons/{part(comparison)}/verdict"
        return self._call(Verdict, "GET", path, params=params)

    def datasets(self) -> list[Dataset]:
        """The uploaded data sets, newest first."""
        return self._call(DatasetList, "GET", "/datasets")["datasets"]

    def dataset(self, dataset: str) -> DatasetDetail:
        """One of them, with its classes' sizes and what its thumbnails show."""
        return self._call(DatasetDetail, "GET", f"/datasets/{part(dataset)}")

    def upload(self, name: str, kind: str, file: BinaryIO, filename: str) -> Dataset:
        """Upload a data set; the problems of its rows are in the error.

        Args:
            name: for people.
            kind: image_folder, features or paired_features.
            file: its content, read as it is sent.
            filename: whose ending tells the format.
        """
        files = {"file": (filename, file, "application/octet-stream")}
        form = {"data": {"name": name, "kind": kind}, "files": files, "timeout": UPLOAD}
        return self._call(Dataset, "POST", "/datasets", form=form)

    def delete_dataset(self, dataset: str) -> None:
        """Delete an upload that no comparison names."""
        self._delete(f"/datasets/{part(dataset)}")

    def workers(self) -> list[Worker]:
        """The worker slots: what each does and when it was last seen."""
        return self._call(WorkerList, "GET", "/workers")["workers"]

    def ready(self) -> Ready:
        """Whether database and broker answer the API; no error where they do not."""
        return self._call(Ready, "GET", "/health/ready", also=503)

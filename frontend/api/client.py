"""The client of the HTTP API, for the pages and for scripts.

    with httpx.Client(base_url="http://127.0.0.1:8500") as http:
        api = Api(http)
        comparison = api.create(api.catalogue()["presets"][0]["spec"])
        print(api.summary(comparison["id"]))

Every method raises ApiError, or one of its subclasses, and nothing else. Answers are the API's
JSON; docs/API.md describes them.
"""

from collections.abc import Mapping, Sequence
from typing import Any, BinaryIO, Final, Literal

import httpx

from frontend.api.alerts import AlertCalls
from frontend.api.space import SpaceCalls
from frontend.api.templates import TemplateCalls
from frontend.api.trained_models import TrainedModelCalls
from frontend.api.transport import comparison_path, part
from frontend.api.types import (
    AccessToken,
    AccessTokenList,
    ArmCurves,
    ArmPage,
    ArmTable,
    AuditPage,
    Catalogue,
    ComparisonDetail,
    ComparisonPage,
    CreatedToken,
    Dataset,
    DatasetDetail,
    DatasetList,
    Everything,
    Leaderboard,
    Log,
    Me,
    Preview,
    Queue,
    Ready,
    Run,
    RunDetail,
    RunList,
    Sensitivity,
    Series,
    SeriesList,
    Size,
    Summary,
    Tuning,
    Verdict,
    View,
    ViewList,
    Worker,
    WorkerList,
)

UPLOAD_TIMEOUT: Final = httpx.Timeout(2000.0, connect=3.0)
"""The answer comes when every row has been checked; the API takes at most half an hour for it."""

EXPORT_TIMEOUT: Final = httpx.Timeout(600.0, connect=3.0)
"""A table is complete before its first byte is sent."""

SEPARATOR: Final = "~"
"""Between a comparison's id and an arm's name: `<comparison>~<arm>` names one arm of all."""


class Api(AlertCalls, SpaceCalls, TemplateCalls, TrainedModelCalls):
    """All calls that pages and scripts may make."""

    # Comparisons and their runs

    def catalogue(self) -> Catalogue:
        """Return what can be chosen and measured: texts, and the JSON schemas of settings."""
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
        """Return one page of the comparisons that match, and how many match in total.

        Args:
            q: words of the name, the notes or the tags.
            tag: one of its tags.
            state: of the comparison.
            created_by: who submitted it.
            archived: archived comparisons instead of the others.
            sort: name, state or result; newest first where it is empty.
            page: from 1.
            page_size: up to 200.
        """
        words = {"q": q, "tag": tag, "state": state, "created_by": created_by, "sort": sort}
        params: dict[str, Any] = {name: value for name, value in words.items() if value}
        params |= {"archived": archived, "page": page, "page_size": page_size}
        return self._call(ComparisonPage, "GET", "/comparisons", params=params)

    def comparison(self, comparison: str) -> ComparisonDetail:
        """Return one comparison with its spec."""
        return self._call(ComparisonDetail, "GET", comparison_path(comparison))

    def create(self, spec: Mapping[str, Any]) -> ComparisonDetail:
        """Store a comparison and queue its runs; the error lists all problems of a wrong spec."""
        return self._call(ComparisonDetail, "POST", "/comparisons", body=spec)

    def preview(self, spec: Mapping[str, Any]) -> Preview:
        """Return what a spec would make, without storing it; the error lists its problems."""
        return self._call(Preview, "POST", "/comparisons/preview", body=spec)

    def patch(self, comparison: str, **changes: Any) -> ComparisonDetail:
        """Change `name`, `notes`, `tags` or `archived`; `add_tags` and `remove_tags` change some.

        With `version`, as the caller has seen it, a change that meets another's is refused: an
        EditedMeanwhileError has in `current` what stands there now.
        """
        return self._call(ComparisonDetail, "PATCH", comparison_path(comparison), body=changes)

    def delete(self, comparison: str) -> None:
        """Cancel a comparison and delete everything that belongs to it."""
        self._delete(comparison_path(comparison))

    def size(self, comparison: str) -> Size:
        """Return what deleting a comparison frees."""
        return self._call(Size, "GET", comparison_path(comparison, "size"))

    def cancel(self, comparison: str) -> ComparisonDetail:
        """Cancel its queued and running runs."""
        return self._call(ComparisonDetail, "POST", comparison_path(comparison, "cancel"))

    def retry(self, comparison: str) -> ComparisonDetail:
        """Queue its failed and cancelled runs again."""
        return self._call(ComparisonDetail, "POST", comparison_path(comparison, "retry"))

    def views(self) -> list[View]:
        """Return the saved views of the board by name."""
        return self._call(ViewList, "GET", "/views")["views"]

    def create_view(self, **view: Any) -> View:
        """Save a view: `name`, `filters`, `columns`, `sort`; fails if the name is taken."""
        return self._call(View, "POST", "/views", body=view)

    def patch_view(self, view: str, **changes: Any) -> View:
        """Change a view."""
        return self._call(View, "PATCH", f"/views/{part(view)}", body=changes)

    def delete_view(self, view: str) -> None:
        """Delete a view, not the comparisons that it shows."""
        self._delete(f"/views/{part(view)}")

    def move_to_front(self, comparison: str) -> ComparisonDetail:
        """Move its waiting runs to the front of the queue, in their present order."""
        return self._call(ComparisonDetail, "POST", comparison_path(comparison, "front"))

    def add_seeds(self, comparison: str, seeds: Sequence[int]) -> ComparisonDetail:
        """Run every arm with more seeds; the error names the seed that has a problem."""
        body = {"seeds": list(seeds)}
        return self._call(ComparisonDetail, "POST", comparison_path(comparison, "seeds"), body=body)

    def runs(
        self, comparison: str, *, role: Literal["final", "trial", "all"] = "final"
    ) -> list[Run]:
        """Return its runs with state, progress and error.

        Those of a comparison that is tuned are its final ones, those of its trials, or all.
        """
        path = comparison_path(comparison, "runs")
        return self._call(RunList, "GET", path, params={"role": role})["runs"]

    def tuning(self, comparison: str) -> Tuning:
        """Return the search of a comparison that is tuned: the trials of each arm, the best one,
        and what more trials are worth."""
        return self._call(Tuning, "GET", comparison_path(comparison, "tuning"))

    def sensitivity(self, comparison: str, path: str) -> Sensitivity:
        """Return the trials along one setting, named by its path: `loss.margin`."""
        params = {"path": path}
        found = comparison_path(comparison, "tuning/sensitivity")
        return self._call(Sensitivity, "GET", found, params=params)

    def add_trials(self, comparison: str, trials: int) -> Tuning:
        """Give every arm more trials, until the final runs exist."""
        body = {"trials": trials}
        return self._call(Tuning, "POST", comparison_path(comparison, "tuning/more"), body=body)

    def cancel_run(self, run: str) -> Run:
        """Cancel one run."""
        return self._call(Run, "POST", _run(run, "cancel"))

    def retry_run(self, run: str) -> Run:
        """Queue one failed or cancelled run again."""
        return self._call(Run, "POST", _run(run, "retry"))

    def move_run_to_front(self, run: str) -> Run:
        """Move a waiting run to the front of the queue."""
        return self._call(Run, "POST", _run(run, "front"))

    def run(self, run: str) -> RunDetail:
        """Return one run, with the machine that it is or was trained on."""
        return self._call(RunDetail, "GET", f"/runs/{part(run)}")

    def run_log(self, run: str) -> list[str]:
        """Return the lines of a run's log."""
        return self._call(Log, "GET", _run(run, "log"))["lines"]

    # What was measured

    def series(
        self,
        runs: Sequence[str],
        keys: Sequence[str] = (),
        *,
        after: int = -1,
        max_points: int = 1000,
    ) -> list[Series]:
        """Return the points of runs beyond step `after`.

        Where a series has more than `max_points`, it is downsampled and its extremes are kept.
        """
        params = {"run": runs, "key": keys, "after": after, "max_points": max_points}
        return self._call(SeriesList, "GET", "/series", params=params)["series"]

    def summary(self, comparison: str, baseline: str = "") -> Summary:
        """Return mean, sd, n and 95 % interval over seeds of every arm and metric.

        Each arm is also compared with the baseline, paired by seed; the baseline is the first arm
        unless it is named.
        """
        params = {"baseline": baseline} if baseline else {}
        return self._call(Summary, "GET", comparison_path(comparison, "summary"), params=params)

    def verdict(self, comparison: str, a: str = "", b: str = "") -> Verdict:
        """Return the nine claims, judged by two arms.

        Unless they are named, `a` is the first contrastive arm and `b` the first triplet arm.
        """
        params = {name: arm for name, arm in (("a", a), ("b", b)) if arm}
        return self._call(Verdict, "GET", comparison_path(comparison, "verdict"), params=params)

    def leaderboard(self, comparison: str, metrics: Sequence[str] = ()) -> Leaderboard:
        """Return all arms ranked by each metric, and which of them have no clear difference.

        By default by the test split's main metrics; `metrics` are keys of others.
        """
        params = {"metrics": list(metrics)}
        return self._call(
            Leaderboard, "GET", comparison_path(comparison, "leaderboard"), params=params
        )

    def everything(self, comparison: str) -> Everything:
        """Return spec, runs, summary, verdict and versions, all read at one moment."""
        params = {"format": "json", "what": "all"}
        return self._call(Everything, "GET", comparison_path(comparison, "export"), params=params)

    def export(
        self,
        comparison: str,
        file: BinaryIO,
        *,
        format: Literal["csv", "parquet"] = "csv",
        what: Literal["results", "series", "runs", "leaderboard", "trials"] = "results",
    ) -> None:
        """Write a table into a file, in pieces, so that it may be larger than memory.

        Args:
            comparison: its id.
            file: open for writing.
            format: csv for spreadsheets, or parquet with types.
            what: results, a row for each value; series, one for each measured point; runs;
                leaderboard, a row for each metric and arm; or trials, of one that is tuned.
        """
        params = {"format": format, "what": what}
        self._save(comparison_path(comparison, "export"), params, file, timeout=EXPORT_TIMEOUT)

    # Arms of all comparisons

    def arms(
        self,
        *,
        q: str = "",
        tag: str = "",
        loss: str = "",
        data: str = "",
        state: str = "",
        archived: bool = False,
        sort: str = "created_at",
        descending: bool = True,
        page: int = 1,
        page_size: int = 50,
    ) -> ArmPage:
        """Return one page of the arms that match, and how many match in total.

        Args:
            q: words of the arm's name, or of its comparison's name, notes or tags.
            tag: one of its comparison's tags.
            loss: kind of its loss.
            data: kind of its data.
            state: the most pressing state of its runs.
            archived: arms of archived comparisons instead of the others.
            sort: created_at, comparison_name, arm, loss, data, state or seeds.
            descending: the largest or newest first.
            page: from 1.
            page_size: up to 200.
        """
        words = {"q": q, "tag": tag, "loss": loss, "data": data, "state": state}
        params: dict[str, Any] = {name: value for name, value in words.items() if value}
        params |= {"archived": archived, "sort": sort, "descending": descending}
        params |= {"page": page, "page_size": page_size}
        return self._call(ArmPage, "GET", "/arms", params=params)

    def arm_values(self, arms: Sequence[str], keys: Sequence[str] = ()) -> ArmTable:
        """Return the metrics of up to 40 arms, and the settings in which they differ.

        Arms are named `<comparison>~<arm>`, here and in `arm_curves`.
        """
        return self._call(ArmTable, "GET", "/arms/values", params={"arm": arms, "key": keys})

    def arm_curves(
        self,
        arms: Sequence[str],
        key: str,
        *,
        max_points: int = 400,
        seeds: bool = False,
        elapsed: bool = False,
    ) -> ArmCurves:
        """Return one metric over steps: the mean over seeds with its 95 % interval.

        Args:
            arms: up to 40.
            key: of the metric.
            max_points: of an arm; more are downsampled to buckets of 2^k steps.
            seeds: add the values of each seed.
            elapsed: add the time of each step.
        """
        options = {"max_points": max_points, "seeds": seeds, "elapsed": elapsed}
        params = {"arm": arms, "key": key, **options}
        return self._call(ArmCurves, "GET", "/arms/curves", params=params)

    # Uploaded data sets

    def datasets(self) -> list[Dataset]:
        """Return the uploaded data sets, newest first."""
        return self._call(DatasetList, "GET", "/datasets")["datasets"]

    def find_datasets(self, *, q: str = "", page: int = 1, page_size: int = 20) -> DatasetList:
        """Return one page of the uploads whose name has all words of `q`, newest first."""
        params = {"q": q, "page": page, "page_size": page_size}
        return self._call(DatasetList, "GET", "/datasets", params=params)

    def dataset(self, dataset: str) -> DatasetDetail:
        """Return one data set, with the sizes of its classes and what its thumbnails show."""
        return self._call(DatasetDetail, "GET", f"/datasets/{part(dataset)}")

    def upload(self, name: str, kind: str, file: BinaryIO, filename: str) -> Dataset:
        """Upload a data set; the error lists the problems of its rows.

        A file that can be read in several ways is kept, with questions to answer.

        Args:
            name: shown to people.
            kind: image_folder, features or paired_features.
            file: its content, read while it is sent.
            filename: its ending says the format.
        """
        files = {"file": (filename, file, "application/octet-stream")}
        form = {"data": {"name": name, "kind": kind}, "files": files, "timeout": UPLOAD_TIMEOUT}
        return self._call(Dataset, "POST", "/datasets", form=form)

    def answer_questions(self, dataset: str, answers: Mapping[str, Any]) -> Dataset:
        """Answer the questions about an upload, and return the data set that it becomes, or that
        has further questions; the error lists the problems of its rows."""
        path = f"/datasets/{part(dataset)}/answers"
        form = {"json": answers, "timeout": UPLOAD_TIMEOUT}
        return self._call(Dataset, "POST", path, form=form)

    def delete_dataset(self, dataset: str) -> None:
        """Delete an upload that no comparison uses."""
        self._delete(f"/datasets/{part(dataset)}")

    # Workers, people and the API itself

    def workers(self) -> list[Worker]:
        """Return the worker slots: what each does and when it was last seen."""
        return self._call(WorkerList, "GET", "/workers")["workers"]

    def queue(self, *, comparison: str = "", page: int = 1, page_size: int = 200) -> Queue:
        """Return the worker slots with their runs, and one page of waiting runs, the next first.

        With `comparison` these are the ones of that comparison.
        """
        params: dict[str, Any] = {"page": page, "page_size": page_size}
        if comparison:
            params["comparison"] = comparison
        return self._call(Queue, "GET", "/queue", params=params)

    def me(self) -> Me:
        """Return the name and the role of the person whose token the client has."""
        return self._call(Me, "GET", "/me")

    def audit(self, *, who: str | None = None, page: int = 1, page_size: int = 50) -> AuditPage:
        """Return who changed what, newest first; with `who`, one person's changes. Admins only."""
        params: dict[str, Any] = {"page": page, "page_size": page_size}
        if who is not None:
            params["who"] = who
        return self._call(AuditPage, "GET", "/audit", params=params)

    def tokens(self) -> AccessTokenList:
        """Return all tokens that are or were accepted, without their secrets. Admins only."""
        return self._call(AccessTokenList, "GET", "/tokens")

    def add_token(self, name: str, role: str, *, expires: str | None = None) -> CreatedToken:
        """Make a token; the answer has its secret, which is shown only now. Admins only.

        Args:
            name: who it is for.
            role: viewer, editor or admin.
            expires: `90d`, a date or a time; None for never.
        """
        body = {"name": name, "role": role, "expires": expires}
        return self._call(CreatedToken, "POST", "/tokens", body=body)

    def revoke_token(self, name: str, *, last_admin: bool = False) -> AccessToken:
        """Revoke a token at once. Admins only.

        Args:
            name: whose token.
            last_admin: whether it may be the last one of an admin.
        """
        body = {"name": name, "last_admin": last_admin}
        return self._call(AccessToken, "POST", "/tokens/revoke", body=body)

    def ready(self) -> Ready:
        """Return whether database and broker answer the API; no error where they do not."""
        return self._call(Ready, "GET", "/health/ready", also=503)


def _run(run: str, call: str) -> str:
    return f"/runs/{part(run)}/{call}"

"""The client of the HTTP API: what the pages use, and scripts may too.

    with httpx.Client(base_url="http://127.0.0.1:8500") as http:
        api = Api(http)
        comparison = api.create(api.catalogue()["presets"][0]["spec"])
        print(api.summary(comparison["id"]))

Every method raises ApiError, or one of its kinds, and nothing else. Answers are the API's JSON;
docs/API.md describes them.
"""

from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import quote

import httpx

from frontend.errors import ApiAwayError, ApiError, FieldProblem, MissingError

PREFIX: Final = "/api/v1"

Json = dict[str, Any]


class Api:
    """Calls the API through a client whose base address is the API's, without the prefix."""

    def __init__(self, http: httpx.Client) -> None:
        self._http = http

    def catalogue(self) -> Json:
        """What can be chosen and measured: rows with texts and the JSON schemas of settings."""
        return self._call("GET", "/catalogue")

    def comparisons(
        self, *, q: str = "", tag: str = "", state: str = "", page: int = 1, page_size: int = 50
    ) -> Json:
        """One page of the comparisons that match, newest first, and how many match in all."""
        asked = {"q": q, "tag": tag, "state": state, "page": page, "page_size": page_size}
        return self._call("GET", "/comparisons", params={k: v for k, v in asked.items() if v})

    def comparison(self, comparison: str) -> Json:
        """One comparison with its spec."""
        return self._call("GET", f"/comparisons/{_part(comparison)}")

    def create(self, spec: Json) -> Json:
        """Store a comparison and queue its runs; the problems of a bad spec are in the error."""
        return self._call("POST", "/comparisons", body=spec)

    def patch(self, comparison: str, **changes: Any) -> Json:
        """Change `name`, `tags` or `notes`."""
        return self._call("PATCH", f"/comparisons/{_part(comparison)}", body=changes)

    def delete(self, comparison: str) -> None:
        """Cancel a comparison and delete all that it has."""
        self._call("DELETE", f"/comparisons/{_part(comparison)}")

    def cancel(self, comparison: str) -> Json:
        """Cancel its queued and running runs."""
        return self._call("POST", f"/comparisons/{_part(comparison)}/cancel")

    def retry(self, comparison: str) -> Json:
        """Queue its failed and cancelled runs again."""
        return self._call("POST", f"/comparisons/{_part(comparison)}/retry")

    def runs(self, comparison: str) -> list[Json]:
        """Its runs with state, progress and error."""
        found: list[Json] = self._call("GET", f"/comparisons/{_part(comparison)}/runs")["runs"]
        return found

    def cancel_run(self, run: str) -> Json:
        """Cancel one run."""
        return self._call("POST", f"/runs/{_part(run)}/cancel")

    def retry_run(self, run: str) -> Json:
        """Queue one failed or cancelled run again."""
        return self._call("POST", f"/runs/{_part(run)}/retry")

    def run_log(self, run: str) -> list[str]:
        """The lines of a run's log."""
        lines: list[str] = self._call("GET", f"/runs/{_part(run)}/log")["lines"]
        return lines

    def series(
        self,
        runs: Sequence[str],
        keys: Sequence[str] = (),
        *,
        after: int = -1,
        max_points: int = 1000,
    ) -> list[Json]:
        """Points beyond step `after`; thinned, spikes kept, where there are more than asked for."""
        params = {"run": runs, "key": keys, "after": after, "max_points": max_points}
        found: list[Json] = self._call("GET", "/series", params=params)["series"]
        return found

    def summary(self, comparison: str) -> Json:
        """Arms x metrics with mean, sd, n and the 95 % interval over seeds."""
        return self._call("GET", f"/comparisons/{_part(comparison)}/summary")

    def workers(self) -> list[Json]:
        """The worker slots: what each does and when it was last seen."""
        found: list[Json] = self._call("GET", "/workers")["workers"]
        return found

    def _call(
        self, method: str, path: str, *, params: Any = None, body: Json | None = None
    ) -> Json:
        try:
            answer = self._http.request(method, f"{PREFIX}{path}", params=params, json=body)
            content = answer.json() if answer.content else {}
        except httpx.TransportError as error:
            raise ApiAwayError(
                "api_unavailable",
                f"The API at {self._http.base_url} does not answer ({type(error).__name__}). Is "
                "`python -m launcher up` running? Its lines say what is wrong.",
            ) from error
        except ValueError as error:
            raise ApiError(
                "not_json",
                f"{self._http.base_url} answered {answer.status_code} with something that is not "
                "JSON; is it Lossboard's API?",
            ) from error
        if answer.is_success:
            found: Json = content
            return found
        raise _refusal(answer.status_code, content)


def _refusal(status: int, content: Json) -> ApiError:
    kinds = {404: MissingError, 502: ApiAwayError}
    fields = [FieldProblem(field["path"], field["message"]) for field in content.get("fields", ())]
    return kinds.get(status, ApiError)(
        str(content.get("error", status)),
        str(content.get("message", f"The API answered with status {status}.")),
        fields,
    )


def _part(name: str) -> str:
    """An id as one part of a path, whatever an address put there."""
    return quote(name, safe="")

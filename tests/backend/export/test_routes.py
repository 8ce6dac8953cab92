"""A comparison as files: its spec, its tables, and everything as one document."""

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import unquote

import httpx
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from backend.export import files
from backend.export import routes as export
from backend.export.files import content_disposition, file_name
from backend.export.table import Row, Table
from backend.export.tables import MAX_BATCH_ROWS
from backend.state import Parts
from contract.catalogue.catalogue import catalogue
from tests.backend.helpers import Api, Attempt, claim, submit
from tests.backend.scripted_runs import (
    PAIR,
    Curves,
    per_epoch,
    scripted_comparison,
    store_events,
)

KEY = "retrieval.map_at_r"


def curves(arm: str, seed: int) -> Curves:
    """Return dynamics by step, and one evaluated metric with test, backbone and chance values."""
    found: dict[str, Mapping[int, float | None]] = {
        "dynamics.loss": per_epoch(None, *[1.0 / (1 + seed)] * 10),
        KEY: {0: 0.1, 50: None, 100: 0.5 + 0.1 * seed},
        f"test.{KEY}": {100: 0.6},
        f"chance.{KEY}": {0: 0.01},
    }
    if arm == "pull":
        return found
    return {**found, "dynamics.loss": per_epoch(1.0, *[1.0] * 10), f"backbone.{KEY}": {0: 0.3}}


@pytest.fixture
def comparison(parts: Parts) -> str:
    return scripted_comparison(
        parts.database, curves, name="Größe: a/b", states={("rank", 2): "failed"}
    )


def get_export(client: httpx.Client, comparison: str, **params: str) -> httpx.Response:
    answer = client.get(f"/api/v1/comparisons/{comparison}/export", params=params)
    assert answer.status_code == 200, answer.text
    return answer


def read_csv(answer: httpx.Response) -> list[dict[str, str]]:
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    return list(csv.DictReader(io.StringIO(answer.text, newline="")))


def read_parquet(answer: httpx.Response) -> Any:
    return pq.ParquetFile(io.BytesIO(answer.content))


@pytest.mark.parametrize(
    "preset",
    [row for row in catalogue()["presets"] if row["spec"] and not row["needs"]],
    ids=lambda row: row["id"],
)
def test_an_exported_spec_can_be_submitted_and_is_exported_alike(
    client: httpx.Client, preset: dict[str, Any]
) -> None:
    made = client.post("/api/v1/comparisons", json=preset["spec"])
    assert made.status_code == 201, made.text
    first = get_export(client, made.json()["id"])
    again = client.post(
        "/api/v1/comparisons",
        content=first.content,
        headers={"Content-Type": "application/json"},
    )
    assert again.status_code == 201, again.text
    assert again.json()["spec"] == first.json() == made.json()["spec"]
    assert get_export(client, again.json()["id"]).content == first.content


@pytest.mark.both_databases
def test_everything_is_one_document(client: httpx.Client, api: Api, comparison: str) -> None:
    found = get_export(client, comparison, what="all").json()
    assert found["spec"] == api.get(f"/comparisons/{comparison}")["spec"]
    assert found["runs"] == api.get(f"/comparisons/{comparison}/runs")["runs"]
    assert found["summary"] == api.get(f"/comparisons/{comparison}/summary")
    assert found["verdict"] == api.get(f"/comparisons/{comparison}/verdict")
    assert found["leaderboard"] == api.get(f"/comparisons/{comparison}/leaderboard")
    assert found["comparison"]["id"] == comparison
    assert re.fullmatch(r"\d+\.\d+\.\d+", found["versions"]["lossboard"])
    assert found["versions"]["numpy"] == np.__version__


def test_results_are_a_row_for_each_value(client: httpx.Client, comparison: str) -> None:
    rows = read_csv(get_export(client, comparison, format="csv", what="results"))
    assert list(rows[0]) == ["arm", "seed", "metric", "step", "value", "censored", "state"]
    of = {(row["arm"], row["seed"], row["metric"]): row for row in rows}
    assert len(of) == len(rows), "no value stands twice"
    last = of["pull", "1", KEY]
    assert (last["step"], float(last["value"]), last["censored"]) == ("100", 0.6, "false")
    assert of["pull", "1", f"untrained.{KEY}"]["value"] == "0.1"
    assert of["pull", "1", f"test.{KEY}"]["value"] == "0.6"
    assert of["pull", "1", f"chance.{KEY}"]["value"] == "0.01"
    assert of["rank", "0", f"backbone.{KEY}"]["value"] == "0.3"
    assert ("pull", "0", f"backbone.{KEY}") not in of
    assert of["rank", "2", KEY]["state"] == "failed", "included, with its state"
    assert any(row["censored"] == "true" for row in rows), "a loss that never halved is a bound"


def test_csv_and_parquet_have_the_same_values_and_parquet_has_types(
    client: httpx.Client, comparison: str
) -> None:
    for what in ("results", "leaderboard", "series", "runs"):
        lines = read_csv(get_export(client, comparison, format="csv", what=what))
        table = read_parquet(get_export(client, comparison, format="parquet", what=what)).read()
        assert table.column_names == list(lines[0])
        assert table.num_rows == len(lines) > 0
        for line, row in zip(lines, table.to_pylist(), strict=True):
            for name, value in row.items():
                shown = "" if value is None else str(value).lower()
                assert line[name].lower() == shown
    kinds = {field.name: field.type for field in table.schema}
    assert kinds["seed"] == pa.int64()
    assert kinds["arm"] == pa.string()
    schema = read_parquet(get_export(client, comparison, format="parquet")).schema_arrow
    assert schema.field("value").type == pa.float64()
    assert schema.field("censored").type == pa.bool_()


def test_series_are_raw_points_and_a_value_that_is_not_finite_is_empty(
    client: httpx.Client, comparison: str
) -> None:
    rows = read_csv(get_export(client, comparison, format="csv", what="series"))
    mine = [row for row in rows if (row["arm"], row["seed"]) == ("pull", "0")]
    loss = [row for row in mine if row["key"] == "dynamics.loss"]
    assert [int(row["step"]) for row in loss] == list(range(1, 101))
    assert {float(row["value"]) for row in loss} == {0.99, 1.01}, "not thinned"
    assert [row["value"] for row in mine if row["key"] == KEY] == ["0.1", "", "0.5"]
    table = read_parquet(get_export(client, comparison, format="parquet", what="series")).read()
    assert table.column("value").null_count == sum(row["value"] == "" for row in rows)


def test_runs_are_a_row_each_with_state_and_error(client: httpx.Client, comparison: str) -> None:
    rows = read_csv(get_export(client, comparison, format="csv", what="runs"))
    assert [(row["arm"], row["seed"]) for row in rows] == [
        (arm["name"], str(seed)) for seed in (0, 1, 2) for arm in PAIR
    ]
    assert {row["state"] for row in rows} == {"succeeded", "failed"}
    assert [row["error_message"] for row in rows if row["state"] == "failed"] == ["m"]
    assert rows[0]["created_at"] == "1970-01-01T00:16:40.000+00:00"


def test_runs_have_versions_sizes_of_splits_and_states(client: httpx.Client, parts: Parts) -> None:
    database = parts.database
    comparison = submit(database, seeds=[0, 1]).id
    run = claim(database)
    assert run is not None
    attempt = Attempt(run.id)
    store_events(
        database,
        attempt.started(
            versions={"engine": "9.8.7", "measures": "2"},
            splits={"train": 6, "validation": 2, "test": 3},
        ),
        attempt.noticed("collapsed", 5),
        attempt.noticed("below_untrained", 7),
    )
    known, unknown = read_csv(get_export(client, comparison, format="csv", what="runs"))
    names = [
        *("engine_version", "measures_version", "train_items", "validation_items", "test_items"),
        "training_states",
    ]
    values = ["9.8.7", "2", "6", "2", "3", "collapsed below_untrained"]
    assert [known[name] for name in names] == values
    assert [unknown[name] for name in names] == [""] * 6


def test_the_leaderboard_is_a_row_for_each_metric_and_arm(
    client: httpx.Client, api: Api, comparison: str
) -> None:
    [metric] = api.get(f"/comparisons/{comparison}/leaderboard")["metrics"]
    rows = read_csv(get_export(client, comparison, format="csv", what="leaderboard"))
    assert [(row["metric"], row["arm"]) for row in rows] == [
        (metric["key"], arm["name"]) for arm in PAIR
    ]
    pull, rank = rows
    assert (pull["n"], rank["n"], float(pull["mean"])) == ("3", "2", 0.6)
    assert (pull["first_rank"], pull["last_rank"], pull["letters"]) == ("1", "2", "a")
    assert (pull["best"], rank["best"], rank["difference_to_best"]) == ("", "pull", "0.0")
    assert rank["state"] == rank["difference_low"] == rank["p_holm"] == ""


def test_a_text_that_a_spreadsheet_would_calculate_stays_a_text(
    client: httpx.Client, parts: Parts
) -> None:
    arms = [{**PAIR[0], "name": "=cmd()"}, {**PAIR[1], "name": '-1, "x"'}]
    comparison = scripted_comparison(
        parts.database, lambda arm, seed: {KEY: {1: -0.5}}, arms=arms, seeds=[0]
    )
    rows = read_csv(get_export(client, comparison, format="csv", what="series"))
    assert [row["arm"] for row in rows] == ["'=cmd()", '\'-1, "x"']
    assert {row["value"] for row in rows} == {"-0.5"}, "numbers stay numbers"
    table = read_parquet(get_export(client, comparison, format="parquet", what="series")).read()
    assert table.column("arm").to_pylist() == ["=cmd()", '-1, "x"']


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", "\t", "\r", "\n"])
def test_every_beginning_of_a_formula_is_escaped(begin: str) -> None:
    assert files.escape_formula(f"{begin}1+1") == f"'{begin}1+1"
    assert files.escape_formula(f"a{begin}") == f"a{begin}"


def test_a_comparison_without_a_value_has_a_header_and_no_row(api: Api) -> None:
    comparison = api.submit()
    for what in ("results", "series"):
        assert read_csv(get_export(api.http, comparison, format="csv", what=what)) == []
        assert (
            read_parquet(get_export(api.http, comparison, format="parquet", what=what))
            .read()
            .num_rows
            == 0
        )
    assert len(read_csv(get_export(api.http, comparison, format="csv", what="runs"))) == 1


def test_the_answer_has_a_length_and_the_temporary_file_is_deleted(
    client: httpx.Client, parts: Parts, comparison: str
) -> None:
    before = sorted(parts.settings.data_dir.iterdir())
    answer = get_export(client, comparison, format="csv", what="series")
    assert int(answer.headers["content-length"]) == len(answer.content)
    assert sorted(parts.settings.data_dir.iterdir()) == before


class Counted:
    """Batches that count how many of their rows are in memory at once."""

    def __init__(self, batches: int) -> None:
        self.left = batches
        self.given = 0

    def __iter__(self) -> Iterator[Sequence[Row]]:
        return self

    def __next__(self) -> Sequence[Row]:
        if not self.left:
            raise StopIteration
        self.left -= 1
        self.given += MAX_BATCH_ROWS
        return [("a", 0, "k", self.given + i, 0.5) for i in range(MAX_BATCH_ROWS)]


def test_parquet_is_written_in_row_groups_as_batches_come(tmp_path: Any) -> None:
    columns: dict[str, Any] = {
        **dict.fromkeys(("arm", "key"), "text"),
        **dict.fromkeys(("seed", "step"), "whole"),
        "value": "number",
    }
    order = ("arm", "seed", "key", "step", "value")
    batches = Counted(7)
    with (tmp_path / "x.parquet").open("wb") as file:
        table = Table({name: columns[name] for name in order}, iter(batches))
        files.write_parquet(table, file)
    found = pq.ParquetFile(tmp_path / "x.parquet").metadata
    assert found.num_rows == 7 * MAX_BATCH_ROWS
    assert [found.row_group(i).num_rows for i in range(found.num_row_groups)] == [
        2 * MAX_BATCH_ROWS,
        2 * MAX_BATCH_ROWS,
        2 * MAX_BATCH_ROWS,
        MAX_BATCH_ROWS,
    ]


def test_more_points_than_a_batch_are_complete(
    client: httpx.Client, parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backend.export.tables.MAX_BATCH_ROWS", 30)
    comparison = scripted_comparison(parts.database, curves)
    rows = read_csv(get_export(client, comparison, format="csv", what="series"))
    loss = [int(row["step"]) for row in rows if row["key"] == "dynamics.loss"]
    assert loss == [*range(1, 101), *range(101)] * 3


@pytest.mark.parametrize(
    ("params", "path", "words"),
    [
        ({"format": "html"}, "format", "python -m launcher report"),
        ({"format": "xlsx"}, "format", "'parquet'"),
        ({"format": "json", "what": "series"}, "what", "csv or parquet"),
        ({"format": "csv", "what": "all"}, "what", "comes as json"),
        ({"format": "csv", "what": "pictures"}, "what", "results"),
    ],
)
def test_an_unknown_format_or_table_is_refused(
    client: httpx.Client, comparison: str, params: dict[str, str], path: str, words: str
) -> None:
    answer = client.get(f"/api/v1/comparisons/{comparison}/export", params=params)
    assert answer.status_code == 422
    fields = answer.json()["fields"]
    assert {field["path"] for field in fields} == {path}
    assert words in " ".join(field["message"] for field in fields)


def test_an_unknown_comparison_cannot_be_exported(client: httpx.Client) -> None:
    answer = client.get("/api/v1/comparisons/c0/export")
    assert (answer.status_code, answer.json()["error"]) == (404, "not_found")


def test_a_full_disk_is_an_error(
    client: httpx.Client, comparison: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setitem(export._WRITERS, "csv", full)
    answer = client.get(f"/api/v1/comparisons/{comparison}/export", params={"format": "csv"})
    assert (answer.status_code, answer.json()["error"]) == (507, "disk_full")


def test_a_download_keeps_the_comparisons_name_as_far_as_it_is_safe(
    client: httpx.Client, comparison: str
) -> None:
    header = get_export(client, comparison, format="csv").headers["content-disposition"]
    assert header.startswith('attachment; filename="Groe-a-b-results.csv"; ')
    assert unquote(header.partition("filename*=UTF-8''")[2]) == "Größe-a-b-results.csv"


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("../../etc/passwd", "etc-passwd"),
        ('a"; filename="b', "a-;-filename=-b"),
        ("a\r\nSet-Cookie: x", "a-Set-Cookie-x"),
        ("\u202egnp.exe", "gnp.exe"),
        ("con", "c1"),
        ("LPT1.txt", "c1"),
        ("...", "c1"),
        ("\U0001f600", "\U0001f600"),
        ("x" * 300, "x" * 80),
        ("50 %", "50"),
    ],
)
def test_hostile_names_become_safe_file_names(name: str, safe: str) -> None:
    found = file_name(name, "c1", ".csv")
    assert found == f"{safe}.csv"
    header = content_disposition(found)
    assert re.fullmatch(r"attachment; filename=\"[\w.-]+\"; filename\*=UTF-8''[\w.%~-]+", header)
    assert json.loads(json.dumps(header)).isascii()
    assert unquote(header.partition("''")[2]) == found

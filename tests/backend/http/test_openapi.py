"""The OpenAPI document: its names, and a client that is generated from it and used."""

import importlib
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from backend.app import create_app
from backend.http.openapi import whole_document
from backend.settings import Settings
from tests.backend.helpers import Api
from tests.support.specs import small

Document = dict[str, Any]


@pytest.fixture(scope="module")
def document() -> Document:
    return _app().openapi()


def _app() -> FastAPI:
    return create_app(Settings(Path("unused"), "sqlite://", "redis://127.0.0.1:1/0", "token"))


def _calls(document: Document) -> Iterator[tuple[str, str, Document]]:
    for path, methods in document["paths"].items():
        for method, call in methods.items():
            yield method.upper(), path, call


def test_calls_have_short_names_of_their_own(document: Document) -> None:
    names = [call["operationId"] for _, _, call in _calls(whole_document(_app()))]
    assert [name for name, count in Counter(names).items() if count > 1] == []
    assert all(name.isidentifier() and "api_v1" not in name for name in names)
    by_call = {(method, path): call["operationId"] for method, path, call in _calls(document)}
    assert by_call["GET", "/api/v1/runs/{run}"] == "get_run"
    assert by_call["GET", "/api/v1/comparisons"] == "list_comparisons"
    assert by_call["POST", "/api/v1/comparisons"] == "create_comparison"
    assert by_call["POST", "/api/v1/runs/{run}/cancel"] == "cancel_run"


def test_the_calls_of_workers_are_left_out(document: Document) -> None:
    assert [path for path in document["paths"] if "/internal" in path] == []
    assert any("/internal" in path for path in whole_document(_app())["paths"])
    assert "ClaimIn" not in document["components"]["schemas"]
    assert list(document["components"]["securitySchemes"]) == ["Token"]


def test_titles_of_schemas_are_their_own(document: Document) -> None:
    schemas = document["components"]["schemas"]
    titles = Counter(schema.get("title", name) for name, schema in schemas.items())
    assert [title for title, count in titles.items() if count > 1] == []


def test_every_answer_says_what_its_body_is(document: Document) -> None:
    bodies = {
        (path, media): content.get("schema")
        for _, path, call in _calls(document)
        for status, answer in call["responses"].items()
        if status.startswith("2")
        for media, content in answer.get("content", {}).items()
    }
    assert [body for body, schema in bodies.items() if not schema] == []
    export = "/api/v1/comparisons/{comparison}/export"
    assert bodies[export, "text/csv"] == {"type": "string"}
    parquet = bodies[export, "application/vnd.apache.parquet"]
    assert parquet == {"type": "string", "format": "binary"}
    either = [
        part["$ref"].rpartition("/")[2] for part in bodies[export, "application/json"]["anyOf"]
    ]
    assert either == ["Everything", "ComparisonSpec"]


@pytest.fixture(scope="module")
def generated(document: Document, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The name of the package of a generated client; a warning of the generator is an error."""
    folder = tmp_path_factory.mktemp("generated")
    name = "lossboard_generated_client"
    (folder / "openapi.json").write_text(json.dumps(document))
    config = {
        "content_type_overrides": dict.fromkeys(
            ("image/jpeg", "application/zip", "application/vnd.apache.parquet"),
            "application/octet-stream",
        ),
        "post_hooks": [],
    }
    (folder / "config.json").write_text(json.dumps(config))
    command = [sys.executable, "-m", "openapi_python_client", "generate", "--meta", "none"]
    command += ["--path", "openapi.json", "--config", "config.json", "--output-path", name]
    done = subprocess.run(
        [*command, "--fail-on-warning"], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        yield name
        for module in [known for known in sys.modules if known.partition(".")[0] == name]:
            del sys.modules[module]


def _module(generated: str, name: str) -> Any:
    return importlib.import_module(f"{generated}.{name}")


def test_every_call_has_its_module_in_a_generated_client(
    document: Document, generated: str
) -> None:
    for _, _, call in _calls(document):
        module = _module(generated, f"api.{call['tags'][0]}.{call['operationId']}")
        assert callable(module.sync_detailed)


def test_a_generated_client_works(api: Api, generated: str) -> None:
    models = _module(generated, "models")
    client = _module(generated, "client").Client(base_url=str(api.http.base_url))
    with client:
        made = _module(generated, "api.comparisons.create_comparison").sync(
            client=client, body=models.ComparisonSpec.from_dict(small())
        )
        assert isinstance(made, models.ComparisonDetail)
        page = _module(generated, "api.comparisons.list_comparisons").sync(client=client)
        assert [row.id for row in page.comparisons] == [made.id]
        runs = _module(generated, "api.comparisons.list_runs").sync(made.id, client=client).runs
        queue = _module(generated, "api.queue.get_queue").sync(client=client)
        assert [waiting.run for waiting in queue.waiting] == [run.id for run in runs]
        get_run = _module(generated, "api.runs.get_run")
        assert (
            get_run.sync(runs[0].id, client=client).to_dict().items() >= runs[0].to_dict().items()
        )
        refused = get_run.sync("r0", client=client)
        assert isinstance(refused, models.ErrorOut)
        assert refused.error == "not_found"
        export = _module(generated, "api.comparisons.export_comparison")
        table = export.sync(
            made.id, client=client, format_=models.ExportComparisonFormat.CSV, what="runs"
        )
        assert table.startswith("run,arm,seed,")

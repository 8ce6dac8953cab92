"""docker-compose.yml and Dockerfile: valid by the Compose specification, and true to the code.

No Docker engine is needed. That the same set of processes works is what tests/stack shows.
"""

import importlib.util
import json
import re
import shlex
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator
from jsonschema.validators import validator_for

ROOT = Path(__file__).resolve().parents[1]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
BUILT = {name: service for name, service in SERVICES.items() if "build" in service}
DOCKERFILE = (ROOT / "Dockerfile").read_text()
FOLDERS = {"api": "backend", "worker": "worker", "ui": "frontend"}
"""The folder of ours behind each image."""


def _targets() -> dict[str, str]:
    """Each target of the Dockerfile with its instructions."""
    parts = re.split(r"^FROM \S+ AS (\S+)$", DOCKERFILE, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def _command(target: str) -> list[str]:
    """The words of an image's command line."""
    found = re.search(r"^CMD (\[.*\])$", _targets()[target], re.MULTILINE)
    assert found, f"{target} has no CMD"
    words: list[str] = json.loads(found[1])
    return shlex.split(words[2]) if words[:2] == ["sh", "-c"] else words


def test_the_file_is_valid_by_the_compose_specification() -> None:
    text = files("check_jsonschema").joinpath("builtin_schemas/vendor/compose-spec.json")
    schema = json.loads(text.read_text())
    validator = validator_for(schema, default=Draft7Validator)(schema)
    assert [error.message for error in validator.iter_errors(COMPOSE)] == []
    broken = {**COMPOSE, "services": {"api": {"imagine": "x"}}}
    assert not validator.is_valid(broken), "the schema must be one that refuses unknown keys"


def test_services_and_profiles_are_the_promised_ones() -> None:
    assert {name: service.get("profiles", []) for name, service in SERVICES.items()} == {
        "redis": [],
        "api": [],
        "worker": [],
        "projector": [],
        "ui": [],
        "worker-gpu": ["gpu"],
        "postgres": ["postgres"],
    }


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_is_watched_and_reachable_from_here_only(name: str) -> None:
    service = SERVICES[name]
    assert service["healthcheck"]["test"][0] in {"CMD", "CMD-SHELL"}
    assert service["restart"] == "unless-stopped"
    for port in service.get("ports", []):
        assert port.startswith("127.0.0.1:"), "there is no sign-in"
    for volume in service.get("volumes", []):
        assert volume.split(":")[0] in COMPOSE["volumes"]
    for other in service.get("depends_on", {}):
        assert "healthcheck" in SERVICES[other]


@pytest.mark.parametrize("name", BUILT)
def test_every_image_has_its_target_with_its_own_group_folder_and_user(name: str) -> None:
    target = BUILT[name]["build"]["target"]
    text = _targets()[target]
    folder = FOLDERS[target]
    assert f"--group {folder}" in text
    copied = set(re.findall(r"^COPY (\S+) ", text, re.MULTILINE))
    more = {".streamlit", "docs/METHOD.md"} if folder == "frontend" else {"contract"}
    assert copied == {folder, *more}
    assert "USER lossboard" in text
    ignored = (ROOT / ".dockerignore").read_text().split()
    assert {f"!{path}" for path in copied} <= set(ignored)


@pytest.mark.parametrize("target", FOLDERS)
def test_every_command_names_real_modules(target: str) -> None:
    words = _command(target)
    assert importlib.util.find_spec(words[words.index("-m") + 1])
    own = {
        "api": "backend.app:create_app",
        "worker": "worker.celery_app",
        "ui": "frontend/app.py",
    }[target]
    assert own in words
    assert (
        (ROOT / own.split(":")[0].removesuffix(".py").replace(".", "/"))
        .with_suffix(".py")
        .is_file()
    )


def test_the_health_checks_ask_what_the_processes_serve() -> None:
    asked = " ".join(" ".join(service["healthcheck"]["test"]) for service in SERVICES.values())
    for path in ("/api/v1/health/live", "/_stcore/health", "worker.celery_app"):
        assert path in asked


@pytest.mark.parametrize("name", BUILT)
def test_every_variable_is_a_documented_setting(name: str) -> None:
    documented = (ROOT / "docs" / "SETTINGS.md").read_text()
    environment = BUILT[name]["environment"]
    assert environment
    for variable in environment:
        assert f"`{variable}`" in documented


@pytest.mark.parametrize("name", SERVICES)
def test_no_service_has_a_capability_or_runs_as_root(name: str) -> None:
    service = SERVICES[name]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "cap_add" not in service
    assert name in BUILT or service["user"] in {"redis", "postgres"}


def test_the_broker_has_a_password_that_is_on_no_command_line() -> None:
    assert 'requirepass "${REDIS_PASSWORD:?' in COMPOSE["configs"]["redis"]["content"]
    [config] = SERVICES["redis"]["configs"]
    assert SERVICES["redis"]["command"] == ["redis-server", config["target"]]
    for name, service in SERVICES.items():
        assert "REDIS_PASSWORD" not in str(service.get("command")), name
        assert "REDIS_PASSWORD" not in str(service["healthcheck"]), name
        address = service.get("environment", {}).get("REDIS_URL", "redis://:${REDIS_PASSWORD:?")
        assert address.startswith("redis://:${REDIS_PASSWORD:?"), name

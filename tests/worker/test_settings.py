import dataclasses
from pathlib import Path

import pytest

from tests.support.slot import worker_environment
from worker.errors import SettingsError
from worker.settings import Settings, datasets_folder


def test_settings_are_read_from_the_environment() -> None:
    environ = worker_environment("redis://b", "http://a:1/") | {
        "LOSSBOARD_TORCH_THREADS": "3",
        "LOSSBOARD_DRAIN_S": "60",
        "LOSSBOARD_HANG_S": "90",
        "LOSSBOARD_DATA_ROOTS": "/a, /b",
    }
    settings = Settings.from_environment(environ)
    assert settings == Settings(
        broker_url="redis://b",
        api_url="http://a:1",
        token="secret",
        name="w1",
        device="cpu",
        torch_threads=3,
        drain_s=60.0,
        hang_s=90.0,
        data_roots=(Path("/a"), Path("/b")),
    )
    with pytest.raises(dataclasses.FrozenInstanceError):
        settings.name = "other"  # type: ignore[misc]


def test_the_error_lists_all_problems() -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.from_environment(
            {
                "LOSSBOARD_DEVICE": "tpu",
                "LOSSBOARD_TORCH_THREADS": "0",
                "LOSSBOARD_DRAIN_S": "soon",
                "LOSSBOARD_HANG_S": "-1",
                "LOSSBOARD_DATA_ROOTS": "/a:b",
                "LOSSBOARD_MODEL_ROOTS": "models",
            }
        )
    for word in (
        "REDIS_URL",
        "LOSSBOARD_API_URL",
        "LOSSBOARD_WORKER_TOKEN",
        "'tpu'",
        "'0'",
        "'soon'",
        "LOSSBOARD_HANG_S is '-1'",
        "LOSSBOARD_DATA_ROOTS names b; needs absolute paths",
        "LOSSBOARD_MODEL_ROOTS names models; needs absolute paths",
    ):
        assert word in str(caught.value)


def test_a_slot_without_a_name_has_the_name_of_its_host() -> None:
    environ = worker_environment("redis://b", "http://a")
    del environ["LOSSBOARD_WORKER_NAME"]
    assert Settings.from_environment(environ).name


def test_all_data_sets_lie_in_one_folder() -> None:
    assert datasets_folder({"LOSSBOARD_DATASETS_DIR": "/sets"}) == Path("/sets")
    for environ in ({}, {"LOSSBOARD_DATASETS_DIR": ""}):
        assert datasets_folder(environ) == Path.cwd() / "data" / "datasets"

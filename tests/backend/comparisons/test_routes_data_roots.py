"""A comparison that names a path outside LOSSBOARD_DATA_ROOTS is refused when it is submitted."""

import dataclasses
from pathlib import Path

from backend.settings import Settings
from tests.backend.conftest import Serve
from tests.backend.helpers import check_error
from tests.support.specs import small


def test_paths_elsewhere_are_refused_with_all_other_problems(
    serve: Serve, settings: Settings
) -> None:
    with serve(dataclasses.replace(settings, data_roots=(Path("/data"),))) as (api, _):
        inside = small(data={"kind": "features", "file": "/data/a.npz"})
        assert api.http.post("/api/v1/comparisons", json=inside).status_code == 201
        outside = small(data={"kind": "features", "file": "/etc/a.npz"})
        refused = check_error(
            api.http.post("/api/v1/comparisons", json=outside), 422, "invalid_spec"
        )
        assert [field["path"] for field in refused["fields"]] == ["data.file"]
        both = {**outside, "seeds": []}
        refused = check_error(api.http.post("/api/v1/comparisons", json=both), 422, "invalid_spec")
        assert {field["path"] for field in refused["fields"]} == {"data.file", "seeds"}


def test_without_the_setting_every_path_is_taken(serve: Serve, settings: Settings) -> None:
    with serve(settings) as (api, _):
        anywhere = small(data={"kind": "features", "file": "/etc/a.npz"})
        assert api.http.post("/api/v1/comparisons", json=anywhere).status_code == 201

"""Paths of the workers' machine in a spec, and the folders in which they must lie."""

from pathlib import Path
from typing import Any

import pytest

from contract.comparison.worker_paths import path_problems

ROOTS = (Path("/data/sets"), Path("/data/weights"))


@pytest.mark.parametrize(
    "raw",
    [
        {"data": {"file": "/data/sets/a.npz"}, "encoder": {"weights_file": "/data/weights/w.pt"}},
        {"data": {"folder": "/data/sets"}},
        {"data": {"file": ""}, "encoder": {"weights_file": None}},
        {"data": 3, "encoder": []},
        {},
        [],
        None,
    ],
)
def test_paths_in_a_folder_and_specs_without_any_have_no_problem(raw: Any) -> None:
    assert path_problems(raw, ROOTS) == []


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "/data/sets/../secret", "/data/setsandmore/a.npz", "a.npz", "/data"]
)
def test_each_path_elsewhere_is_a_problem_of_its_field(path: str) -> None:
    raw = {
        "data": {"file": path, "folder": path},
        "encoder": {"weights_file": path},
        "visual_encoder": {"weights_file": path},
    }
    found = path_problems(raw, ROOTS)
    assert [problem.path for problem in found] == [
        *("data.file", "data.folder", "encoder.weights_file", "visual_encoder.weights_file")
    ]
    words = f"{path} lies in none of the folders for data: /data/sets, /data/weights; put it"
    assert all(problem.message.startswith(words) for problem in found)
    assert path_problems(raw, ()) == []

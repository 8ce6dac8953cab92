import json
from pathlib import Path
from typing import Final

import httpx
from starlette.applications import Starlette

from frontend.space.component import space_data
from frontend.ui.assets import Assets
from frontend.ui.theme import arm_styles
from tests.support.serving import serving

JS: Final = Path(__file__).parents[3] / "frontend" / "space" / "js"


def test_equal_calls_give_equal_data_so_that_a_rerun_changes_nothing() -> None:
    told = [json.dumps(space_data("c1", ["a", "b"], is_open=True)) for _ in range(2)]
    assert told[0] == told[1]
    assert json.loads(told[0]) != space_data("c1", ["a", "b"], is_open=False)


def test_each_arm_has_its_look_in_the_specs_order() -> None:
    arms = space_data("c1", ["b", "a"], is_open=False)["arms"]
    assert [arm["name"] for arm in arms] == ["b", "a"]
    looks = arm_styles(["b", "a"])
    assert [arm["dark"] for arm in arms] == [looks[name].dark for name in ("b", "a")]


def test_the_modules_are_served_where_they_import_one_another_from() -> None:
    assets = Assets.load()
    main = space_data("c1", ["a"], is_open=False)["main"]
    folder = main.rsplit("/", 1)[0]
    with (
        serving(Starlette(routes=assets.routes())) as url,
        httpx.Client(base_url=url, trust_env=False) as viewer,
    ):
        answers = [viewer.get(f"{folder}/{path.name}") for path in sorted(JS.glob("*.js"))]
        shared = viewer.get(f"{folder}/../../live/js/dom.js")
    assert len(answers) > 20
    assert {answer.status_code for answer in [*answers, shared]} == {200}
    assert all("immutable" in answer.headers["cache-control"] for answer in answers)


def test_all_imports_of_the_modules_exist() -> None:
    names = set(Assets.load().modules)
    for path in JS.glob("*.js"):
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.startswith("import ") or line.startswith("} from "):
                wanted = (path.parent / line.split('"')[1]).resolve()
                assert str(wanted.relative_to(JS.parents[1])) in names, (path.name, line)


def test_modules_stay_small_enough_to_read() -> None:
    lengths = {path.name: len(path.read_text().splitlines()) for path in JS.glob("*.js")}
    assert max(lengths.values()) < 300, lengths

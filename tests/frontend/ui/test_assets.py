import re
from pathlib import Path

import httpx
from starlette.applications import Starlette

from frontend.ui.assets import LIVE_FOLDER, Assets
from tests.support.serving import serving

JS = Path(__file__).parents[3] / "frontend" / "live" / "js"


def test_modules_and_plotly_are_served_for_ever_at_addresses_that_name_their_content() -> None:
    assets = Assets.load()
    with (
        serving(Starlette(routes=assets.routes())) as url,
        httpx.Client(base_url=url, trust_env=False) as viewer,
    ):
        answers = {path: viewer.get(path) for path in (assets.main_url, assets.plotly_url)}
        missing = viewer.get("/lossboard-js/000000000000/main.js")
    for answer in answers.values():
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/javascript")
        assert "immutable" in answer.headers["cache-control"]
    assert answers[assets.main_url].content == (JS / "main.js").read_bytes()
    assert "plotly.js v" in answers[assets.plotly_url].text[:100]
    assert missing.status_code == 404


def test_modules_stay_small_enough_to_read() -> None:
    lengths = {
        path.name: len(path.read_text(encoding="utf-8").splitlines()) for path in JS.iterdir()
    }
    assert len(lengths) > 25, "the folder was read"
    assert max(lengths.values()) < 300, lengths


def test_no_text_on_the_screen_is_smaller_than_11_pixels() -> None:
    styles = sorted(LIVE_FOLDER.parent.rglob("*.css"))
    assert styles
    for path in styles:
        screen = path.read_text(encoding="utf-8").partition("@media print")[0]
        for size, unit in re.findall(r"font-size: *([\d.]+)(px|rem)", screen):
            assert float(size) * {"px": 1, "rem": 16}[unit] >= 11, f"{path.name}: {size}{unit}"

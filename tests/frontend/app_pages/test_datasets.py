"""The Data page against the real API: uploads, refusals, deletion, link to a new comparison."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from backend.app import create_app
from backend.settings import Settings
from frontend.api.client import Api
from frontend.api.types import Dataset
from tests.support.ports import free_ports
from tests.support.serving import serving
from tests.support.specs import small
from tests.support.tiny_sets import image_files, npz, paired, table, zipped
from tests.support.tiny_texts import columns, write_csv

MAIN = Path(__file__).resolve().parents[3] / "frontend" / "main.py"
PAGE = "app_pages/datasets.py"
BINARY = "application/octet-stream"


@pytest.fixture
def api(tmp_path: Path, broker_url: str) -> Iterator[Api]:
    url = f"sqlite:///{tmp_path / 'lossboard.sqlite'}"
    app = create_app(Settings(tmp_path / "data", url, broker_url, "secret"))
    with serving(app) as address, httpx.Client(base_url=address, timeout=60) as http:
        yield Api(http)


def opened(client: Api) -> AppTest:
    at = AppTest.from_file(MAIN, default_timeout=90)
    at.session_state["api"] = client
    at.switch_page(PAGE)
    return run(at)


def run(at: AppTest) -> AppTest:
    at.run()
    assert not at.exception, at.exception
    return at


def said(at: AppTest) -> str:
    html = [str(block.proto.body) for block in at.get("html")]
    texts = [block.value for block in [*at.markdown, *at.caption, *at.error, *at.toast]]
    return "\n".join([*html, *texts])


def chosen(at: AppTest, file: Path) -> AppTest:
    """The page with a file chosen."""
    at.file_uploader[0].set_value((file.name, file.read_bytes(), BINARY))
    return run(at)


def press(at: AppTest, key: str) -> AppTest:
    at.button(key=key).click()
    return run(at)


def put(client: Api, name: str, kind: str, file: Path) -> Dataset:
    with file.open("rb") as content:
        return client.upload(name, kind, content, file.name)


def test_an_empty_page_says_which_files_can_be_uploaded(api: Api) -> None:
    at = opened(api)
    assert "Nothing uploaded yet" in said(at)
    assert "CIFAR-100" in said(at)
    assert "Your images" not in said(at)
    assert "npz, Parquet, CSV, HDF5 or MATLAB" in at.file_uploader[0].label
    assert "500 MB here" in said(at)


def test_images_become_a_card_with_thumbnails(api: Api, tmp_path: Path) -> None:
    at = chosen(opened(api), zipped(tmp_path / "two kinds.zip", image_files()))
    [name] = [field for field in at.text_input if field.label == "Name"]
    assert name.value == "two kinds"
    name.set_value("shoes *new*")
    press(at, "datasets_upload")
    [kept] = api.datasets()
    assert (kept["name"], kept["kind"], kept["items"]) == ("shoes *new*", "image_folder", 12)
    assert r"**shoes \*new\***" in said(at)
    assert "12 items, 3 classes, 24 x 24 pixels" in said(at)
    assert f"/api/v1/datasets/{kept['id']}/thumbnails/0" in said(at)
    assert at.file_uploader[0].value is None, "the next upload finds an empty field"


def test_the_kind_of_a_table_is_asked_for(api: Api, tmp_path: Path) -> None:
    file = npz(tmp_path / "clips.npz", paired())
    at = chosen(opened(api), file)
    assert at.button_group[0].options == ["Features", "Pairs of features"]
    at.button_group[0].set_value("paired_features")
    press(at, "datasets_upload")
    [kept] = api.datasets()
    assert (kept["kind"], kept["shape"]) == ("paired_features", {"audio": 6, "visual": 9})


def test_a_refusal_names_every_row_and_keeps_the_file(api: Api, tmp_path: Path) -> None:
    columns = table()
    columns["features"][[3, 7], 2] = np.nan
    at = chosen(opened(api), npz(tmp_path / "bad.npz", columns))
    press(at, "datasets_upload")
    assert "Upload rejected:** 2 problems in the data set" in said(at).replace("\\", "")
    assert "<th scope='row'>row 3, column f2</th><td>is NaN" in said(at)
    assert "row 7, column f2" in said(at)
    assert api.datasets() == []
    assert at.button(key="datasets_upload"), "it can be tried again as something else"

    chosen(at, npz(tmp_path / "good.npz", table()))
    press(at, "datasets_upload")
    assert "Upload rejected" not in said(at)
    assert [one["name"] for one in api.datasets()] == ["good"]


def test_a_question_is_answered_on_the_card(api: Api, tmp_path: Path) -> None:
    cube = np.random.default_rng(1).normal(size=(40, 3, 5)).astype(np.float32)
    file = npz(tmp_path / "maps.npz", {**table(), "features": cube})
    at = chosen(opened(api), file)
    press(at, "datasets_upload")
    [waiting] = api.datasets()
    assert "waits for your answer" in said(at)
    assert "needs an answer before it can be used" in said(at)
    [choice] = at.radio
    assert "features has shape" in choice.label
    assert not [one for one in at.button if one.key == f"datasets_compare_{waiting['id']}"]
    choice.set_value("pool")
    press(at, f"datasets_answer_{waiting['id']}")
    [ready] = api.datasets()
    assert (ready["state"], ready["shape"]) == ("ready", {"features": 3})
    assert not at.radio
    assert at.button(key=f"datasets_compare_{ready['id']}")


def test_a_csv_says_which_column_is_what(api: Api, tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    lines = [f"{rng.normal():.3f},{rng.normal():.3f},{'ab'[row % 2]}<b>" for row in range(20)]
    file = tmp_path / "flowers.csv"
    file.write_text("\n".join(["length,width,species", *lines]))
    at = chosen(opened(api), file)
    press(at, "datasets_upload")
    [waiting] = api.datasets()
    key = f"question_{waiting['id']}_columns"
    assert "<code>species</code></th><td>words</td><td>a&lt;b&gt; ·" in said(at)
    assert at.multiselect(key=f"{key}_features").value == ["length", "width"]
    assert at.selectbox(key=f"{key}_labels").value == "species"
    at.multiselect(key=f"{key}_features").set_value([])
    run(at)
    assert at.button(key=f"datasets_answer_{waiting['id']}").disabled
    at.multiselect(key=f"{key}_features").set_value(["width"])
    run(at)
    press(at, f"datasets_answer_{waiting['id']}")
    [ready] = api.datasets()
    assert (ready["state"], ready["shape"], ready["classes"]) == ("ready", {"features": 1}, 2)
    assert "features = width, labels = species" in said(at).replace("\\", "")


def test_texts_become_a_card_with_some_of_them(api: Api, tmp_path: Path) -> None:
    own = columns()
    own["text"][0] = "my <b>cat</b>"
    renamed = {"request": own["text"], "area": own["label"], "part": own["split"]}
    at = chosen(opened(api), write_csv(tmp_path / "requests.csv", renamed))
    press(at, "datasets_upload")
    press(at, "datasets_upload_as_text")
    [waiting] = api.datasets()
    key = f"question_{waiting['id']}_columns"
    assert at.selectbox(key=f"{key}_text").value == "request"
    at.selectbox(key=f"{key}_labels").set_value("area")
    at.selectbox(key=f"{key}_split").set_value("part")
    run(at)
    press(at, f"datasets_answer_{waiting['id']}")
    [ready] = api.datasets()
    assert (ready["state"], ready["items"], ready["has_split"]) == ("ready", 64, True)
    assert "my &lt;b&gt;cat&lt;/b&gt;" in said(at)
    assert "characters" in said(at)


def test_a_file_of_another_program_is_told_how_to_convert(api: Api, tmp_path: Path) -> None:
    file = tmp_path / "table.xlsx"
    file.write_bytes(zipped(tmp_path / "x.zip", {"xl/workbook.xml": b""}).read_bytes())
    at = chosen(opened(api), file)
    press(at, "datasets_upload")
    assert "is an Excel file; save it as &#x27;CSV UTF-8&#x27;" in said(at)
    assert api.datasets() == []


def test_the_wrong_kind_can_be_switched_by_a_button(api: Api, tmp_path: Path) -> None:
    at = chosen(opened(api), npz(tmp_path / "p.npz", paired()))
    press(at, "datasets_upload")
    assert "upload it as 'paired_features'" in said(at).replace("&#x27;", "'")
    press(at, "datasets_upload_as_paired_features")
    [kept] = api.datasets()
    assert kept["kind"] == "paired_features"
    assert "Upload rejected" not in said(at)


def test_an_upload_can_be_deleted_unless_a_comparison_needs_it(api: Api, tmp_path: Path) -> None:
    own = put(api, "readings", "features", npz(tmp_path / "a.npz", table()))["id"]
    data = {"kind": "features", "dataset": own}
    user = api.create(small(name="user", data=data, training={"batch_size": 8}))["id"]
    at = press(opened(api), f"datasets_delete_{own}")
    assert "Not deleted" in said(at)
    assert user in said(at)
    api.delete(user)
    press(at, f"datasets_delete_{own}")
    assert "Nothing uploaded yet" in said(at)
    assert api.datasets() == []


@pytest.mark.parametrize("kind", ["image_folder", "features", "paired_features"])
def test_losses_can_be_compared_on_an_upload_at_once(api: Api, tmp_path: Path, kind: str) -> None:
    files = {
        "image_folder": zipped(tmp_path / "a.zip", image_files(each=12)),
        "features": npz(tmp_path / "a.npz", table()),
        "paired_features": npz(tmp_path / "b.npz", paired()),
    }
    own = put(api, "mine", kind, files[kind])["id"]
    at = press(opened(api), f"datasets_compare_{own}")
    assert at.selectbox(key="new.data.kind").value == kind
    assert at.selectbox(key="new.data.dataset").value == own
    assert at.text_input(key="new.name").value == "mine: contrastive vs triplet"
    at.switch_page("app_pages/new_comparison.py")  # the test's page has not followed
    press(at, "new_start")
    [made] = api.comparisons()["comparisons"]
    assert api.comparison(made["id"])["spec"]["data"]["dataset"] == own


def test_an_api_that_is_away_is_said(api: Api) -> None:
    [port] = free_ports(1)
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as nothing:
        at = opened(Api(nothing))
        assert "The data sets cannot be shown now" in said(at)
    at.session_state["api"] = api
    press(at, "datasets_again")
    assert "Nothing uploaded yet" in said(at)


@pytest.mark.slow
def test_more_than_a_page_of_uploads_has_pages_and_a_search(api: Api, tmp_path: Path) -> None:
    columns = table()
    for n in range(21):
        columns["features"][0, 0] = n
        put(api, f"shoes {n}" if n else "hats", "features", npz(tmp_path / "a.npz", columns))
    at = opened(api)
    assert said(at).count(":gray-badge[") == 20
    assert "page 1 of 2, 21 uploads" in said(at)
    assert "**hats**" not in said(at)
    press(at, "datasets_older")
    assert at.query_params["page"] == "2"
    assert said(at).count(":gray-badge[") == 1
    assert "**hats**" in said(at)
    at.text_input(key="datasets_q").set_value("shoes 20")
    run(at)
    assert dict(at.query_params) == {"q": "shoes 20"}
    assert said(at).count(":gray-badge[") == 1
    assert "**shoes 20**" in said(at)
    at.text_input(key="datasets_q").set_value("gloves")
    run(at)
    assert "No upload matches these words" in said(at)
    at.text_input(key="datasets_q").set_value("")
    run(at)
    assert said(at).count(":gray-badge[") == 20


def test_a_page_that_is_empty_by_now_leads_to_the_first(api: Api, tmp_path: Path) -> None:
    put(api, "good", "features", npz(tmp_path / "a.npz", table()))
    at = AppTest.from_file(MAIN, default_timeout=90)
    at.session_state["api"] = api
    at.query_params["page"] = "9"
    at.switch_page(PAGE)
    run(at)
    assert "This page of the list is empty" in said(at)
    press(at, "datasets_first")
    assert "**good**" in said(at)

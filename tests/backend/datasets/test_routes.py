"""Data sets over HTTP: upload, list, read by workers, delete."""

import hashlib
import io
import zipfile
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image

from backend.state import Parts
from tests.backend.dataset_uploads import (
    URL,
    feature_table,
    files_left,
    image_archive,
    is_clean,
    paired_table,
    post_file,
    upload,
)
from tests.backend.helpers import TOKEN, Api, check_error
from tests.support.tiny_sets import image, image_files, parquet, table, zipped


def test_images(api: Api, parts: Parts, tmp_path: Path) -> None:
    files = {f"birds/{name}": content for name, content in image_files(3, 4).items()}
    files["birds/c2/again.jpg"] = files["birds/c2/0.jpg"]
    archive = zipped(tmp_path / "a.zip", files)
    made = upload(api.http, archive, "image_folder", "  birds ")
    assert made["name"] == "birds"
    assert (made["items"], made["classes"], made["class_names"]) == (12, 3, ["c0", "c1", "c2"])
    assert made["shape"] == {
        f"{end}_{side}": 24 for end in ("min", "max") for side in ("width", "height")
    }
    assert made["size"] == archive.stat().st_size
    said = {warning["where"]: warning["message"] for warning in made["warnings"]}
    assert "identical" in said["c2/again.jpg"]
    assert made["thumbnails"] == 12
    assert not made["has_fine"]
    detail = api.get(f"/datasets/{made['id']}")
    assert detail["counts"] == [4, 4, 4]
    assert detail["thumbnail_items"][4] == {"n": 4, "class_name": "c1", "file": "c1/0.jpg"}
    assert detail == {
        **made,
        **{key: detail[key] for key in ("counts", "texts", "thumbnail_items")},
    }
    assert files_left(parts) == sorted(
        [".incoming", made["id"], f"{made['id']}/content", f"{made['id']}/thumbnails.zip"]
    )


def test_tables(api: Api, tmp_path: Path) -> None:
    plain = upload(api.http, feature_table(tmp_path, fine_labels=np.arange(40) % 3), "features")
    assert (plain["items"], plain["classes"], plain["shape"]) == (40, 4, {"features": 5})
    assert plain["has_fine"]
    assert plain["thumbnails"] == 0
    assert api.get(f"/datasets/{plain['id']}")["counts"] == [10] * 4
    named = [f"animal {label}" for label in table()["labels"]]
    columns = {"features": table()["features"], "label": named}
    column = upload(api.http, parquet(tmp_path / "t.parquet", columns), "features")
    assert column["class_names"] == [f"animal {n}" for n in range(4)]
    both = upload(api.http, paired_table(tmp_path), "paired_features")
    assert both["shape"] == {"audio": 6, "visual": 9}
    newest = [row["id"] for row in api.get("/datasets")["datasets"]]
    assert newest == [both["id"], column["id"], plain["id"]]


@pytest.mark.both_databases
def test_thumbnails(api: Api, tmp_path: Path) -> None:
    files = image_files(3, 90)
    files["c0/0.jpg"] = image(900, size=400)
    made = upload(api.http, zipped(tmp_path / "a.zip", files), "image_folder")
    detail = api.get(f"/datasets/{made['id']}")
    assert made["thumbnails"] == 3 * 66  # of 200 places each class has its third
    shown = [item["class_name"] for item in detail["thumbnail_items"]]
    assert [shown.count(f"c{label}") for label in range(3)] == [66] * 3
    for item in detail["thumbnail_items"][:: len(shown) - 1]:
        answer = api.http.get(f"{URL}/{made['id']}/thumbnails/{item['n']}")
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "image/jpeg"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "immutable" in answer.headers["cache-control"]
        with Image.open(io.BytesIO(answer.content)) as small:
            assert small.format == "JPEG"
            assert max(small.size) <= 96
    check_error(api.http.get(f"{URL}/{made['id']}/thumbnails/198"), 404, "not_found")
    check_error(api.http.get(f"{URL}/{made['id']}/thumbnails/-1"), 422, "invalid_request")
    table_id = upload(api.http, feature_table(tmp_path), "features")["id"]
    check_error(api.http.get(f"{URL}/{table_id}/thumbnails/0"), 404, "not_found")


def test_thumbnails_show_what_trains(api: Api, tmp_path: Path) -> None:
    """Photographs are turned upright, and transparent parts are white."""
    exif = Image.Exif()
    exif[0x0112] = 6  # lies on its side
    turned, clear = io.BytesIO(), io.BytesIO()
    Image.new("RGB", (40, 20), (200, 0, 0)).save(turned, "JPEG", exif=exif)
    Image.new("RGBA", (24, 24), (0, 0, 0, 0)).save(clear, "PNG")
    files = {**image_files(2), "c0/turned": turned.getvalue(), "c1/clear": clear.getvalue()}
    made = upload(api.http, zipped(tmp_path / "a.zip", files), "image_folder")
    assert (made["shape"]["max_width"], made["shape"]["max_height"]) == (24, 40)
    [remark] = made["warnings"]
    assert remark["message"].startswith("1 image has transparent parts; a new comparison lays them")
    items = {
        item["file"]: item["n"] for item in api.get(f"/datasets/{made['id']}")["thumbnail_items"]
    }
    for file, size, color in (
        ("c0/turned", (20, 40), (200, 0, 0)),
        ("c1/clear", (24, 24), (255,) * 3),
    ):
        content = api.http.get(f"{URL}/{made['id']}/thumbnails/{items[file]}").content
        with Image.open(io.BytesIO(content)) as small:
            assert small.size == size
            pixel = small.getpixel((10, 10))
            assert isinstance(pixel, tuple)
            assert max(abs(a - b) for a, b in zip(pixel, color, strict=True)) < 8


def test_class_folders_that_are_numbers_are_in_their_order(api: Api, tmp_path: Path) -> None:
    sizes = {"1": 4, "2": 5, "3": 6, "10": 2, "20": 3}
    files = {
        f"{name}/{n}.jpg": image(100 * int(name) + n) for name in sizes for n in range(sizes[name])
    }
    made = upload(api.http, zipped(tmp_path / "a.zip", files), "image_folder")
    detail = api.get(f"/datasets/{made['id']}")
    assert made["class_names"] == detail["class_names"] == list(sizes)
    assert detail["counts"] == list(sizes.values())
    shown = detail["thumbnail_items"]
    assert list(dict.fromkeys(item["class_name"] for item in shown)) == list(sizes)
    first_of_ten = next(item["n"] for item in shown if item["file"] == "10/0.jpg")
    assert first_of_ten == 4, "the number in its address stays the one in the archive"


@pytest.mark.both_databases
def test_the_list_has_pages_and_a_search(api: Api, tmp_path: Path) -> None:
    names = [f"shoes {n} 100%_a" for n in range(3)] + ["Hats", "hats and shoes"]
    for n, name in enumerate(names):
        upload(
            api.http, feature_table(tmp_path, fine_labels=np.arange(40) % (n + 2)), "features", name
        )
    newest = names[::-1]

    def listed(**asked: object) -> list[str]:
        found = api.get("/datasets", **asked)
        assert found["page"] == asked.get("page", 1)
        assert found["page_size"] == asked.get("page_size")
        return [row["name"] for row in found["datasets"]]

    assert listed() == newest, "without a page size all come, as in older versions"
    assert listed(page_size=2) == newest[:2]
    assert listed(page_size=2, page=3) == newest[4:]
    assert listed(page_size=2, page=4) == []
    assert api.get("/datasets", page_size=2, q="shoes")["total"] == 4
    assert listed(q="SHOES hats") == ["hats and shoes"]
    assert listed(q="100%_A") == newest[2:]
    assert listed(q="100_") == listed(kind="image_folder") == []
    assert len(listed(kind="features")) == 5
    one = api.get("/datasets", q="Hats", page_size=200)["datasets"][-1]
    assert listed(q=one["id"]) == ["Hats"]
    for asked in ({"page": 0}, {"page_size": 201}, {"kind": "sounds"}):
        check_error(api.http.get(URL, params=asked), 422, "invalid_request")


def test_a_name_of_several_lines_is_refused(api: Api, parts: Parts, tmp_path: Path) -> None:
    answer = post_file(api.http, feature_table(tmp_path), "features", "two\nlines")
    [problem] = check_error(answer, 422, "invalid_request")["fields"]
    assert problem["path"] == "name"
    assert "line break" in problem["message"]
    assert is_clean(api.http, parts)


def test_the_same_content_is_the_same_data_set(api: Api, parts: Parts, tmp_path: Path) -> None:
    file = paired_table(tmp_path)
    first = upload(api.http, file, "paired_features", "one")
    before = files_left(parts)
    again = post_file(api.http, file, "paired_features", "two")
    assert again.status_code == 200
    assert again.json() == first
    assert files_left(parts) == before
    assert len(api.get("/datasets")["datasets"]) == 1


def test_another_kind_of_the_same_file_is_another_data_set(api: Api, tmp_path: Path) -> None:
    both = {**table(), "audio": table()["features"], "visual": table()["features"]}
    file = feature_table(tmp_path, **both)
    ids = {upload(api.http, file, kind)["id"] for kind in ("features", "paired_features")}
    assert len(ids) == 2


def test_a_lost_file_is_restored_by_another_upload(api: Api, parts: Parts, tmp_path: Path) -> None:
    file = feature_table(tmp_path)
    first = upload(api.http, file, "features")
    content = parts.uploads.content(first["id"])
    content.write_bytes(content.read_bytes()[:100])
    check_error(_content(api.http, first["id"]), 404, "not_found")
    assert post_file(api.http, file, "features").json() == first
    assert _content(api.http, first["id"]).content == file.read_bytes()


def test_workers_get_the_file_unchanged(api: Api, tmp_path: Path) -> None:
    file = image_archive(tmp_path)
    made = upload(api.http, file, "image_folder")
    answer = _content(api.http, made["id"])
    assert answer.content == file.read_bytes()
    assert answer.headers["x-content-sha256"] == hashlib.sha256(answer.content).hexdigest()
    check_error(
        api.http.get(f"/api/v1/internal/datasets/{made['id']}/content"), 401, "unauthorized"
    )
    check_error(_content(api.http, "d0"), 404, "not_found")


def test_deleted_with_its_files(api: Api, parts: Parts, tmp_path: Path) -> None:
    file = image_archive(tmp_path)
    made = upload(api.http, file, "image_folder")
    assert api.http.delete(f"{URL}/{made['id']}").status_code == 204
    assert is_clean(api.http, parts)
    check_error(api.http.get(f"{URL}/{made['id']}"), 404, "not_found")
    check_error(api.http.delete(f"{URL}/{made['id']}"), 404, "not_found")
    assert upload(api.http, file, "image_folder")["id"] == made["id"]


@pytest.mark.both_databases
def test_not_deleted_while_comparisons_use_it(api: Api, parts: Parts, tmp_path: Path) -> None:
    made = upload(api.http, feature_table(tmp_path), "features", "embeddings")
    data = {"kind": "features", "dataset": made["id"]}
    training = {"epochs": 1, "batch_size": 8}
    ids = [api.submit(name=f"n{n}", data=data, training=training) for n in range(4)]
    body = check_error(api.http.delete(f"{URL}/{made['id']}"), 409, "conflict")
    assert "'embeddings'" in body["message"]
    assert f"'n0' ({ids[0]})" in body["message"]
    assert "and 1 more" in body["message"]
    assert _content(api.http, made["id"]).status_code == 200
    for comparison in ids:
        assert api.http.delete(f"/api/v1/comparisons/{comparison}").status_code == 204
    assert api.http.delete(f"{URL}/{made['id']}").status_code == 204
    assert is_clean(api.http, parts)


def test_the_catalogue_says_which_kinds_of_data_are_present(api: Api) -> None:
    present = {row["kind"]: row["present"] for row in api.get("/catalogue")["data"]}
    assert {kind for kind, there in present.items() if there} == {
        *("digits", "synthetic", "generated_text", "generated_tuples"),
        *("image_folder", "features", "paired_features", "text"),
        *("pairs", "triplets", "labelled_pairs", "scored_pairs"),
    }
    assert present["cub200"] is None


@pytest.mark.parametrize("way", ["quoted", "last"])
def test_forms_of_other_clients(client: httpx.Client, tmp_path: Path, way: str) -> None:
    content = feature_table(tmp_path).read_bytes()
    head = b'--xYz\r\nContent-Disposition: form-data; name="'
    file = head + b'file"; filename="f.npz"\r\nContent-Type: application/x-zip\r\n\r\n'
    kind = head + b'kind"\r\n\r\nfeatures\r\n'
    name = head + 'name"\r\n\r\nGrüße\r\n'.encode()
    parts = [file + content + b"\r\n", kind, name]
    body = b"".join(parts if way == "quoted" else parts[::-1]) + b"--xYz--\r\n"
    boundary = '"xYz"' if way == "quoted" else "xYz"
    headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    answer = client.post(URL, content=body, headers=headers)
    assert answer.status_code == 201, answer.text
    assert answer.json()["name"] == "Grüße"
    assert answer.json()["size"] == len(content)


def test_thumbnails_hold_nothing_but_pictures(api: Api, parts: Parts, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x010E] = "where I live"
    out = io.BytesIO()
    Image.new("RGB", (30, 20), "red").save(out, "JPEG", exif=exif)
    files = {**image_files(2, 2), "c0/camera.jpg": out.getvalue()}
    made = upload(api.http, zipped(tmp_path / "a.zip", files), "image_folder")
    with zipfile.ZipFile(parts.uploads.thumbnails(made["id"])) as archive:
        assert all(b"where I live" not in archive.read(name) for name in archive.namelist())


def _content(client: httpx.Client, dataset: str) -> httpx.Response:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    return client.get(f"/api/v1/internal/datasets/{dataset}/content", headers=headers)

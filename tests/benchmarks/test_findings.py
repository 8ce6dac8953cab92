import gzip
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from benchmarks.findings import EPOCHS, PAGE, run, whole_headline, with_table
from benchmarks.findings_data import CASES, MNIST_IMAGES
from benchmarks.findings_moves import Measured
from benchmarks.findings_specs import (
    MARGINS,
    OF_ONE_MODALITY,
    PARTS,
    PROTOCOLS,
    SEEDS,
    comparison_spec,
    margin_arms,
)
from benchmarks.product_bench import Bench
from contract.comparison.spec import ComparisonSpec, parse_spec
from frontend.api.client import Api

TABLE = re.compile(r"<!-- table: ([^\n]*) -->\n(.*?)<!-- end -->", re.DOTALL)
DATA: Mapping[str, Mapping[str, Any]] = {
    "mnist": {"kind": "features", "file": "/x/mnist.npz", "split": "item"},
    "cifar10": {"kind": "image_folder", "folder": "/x/cifar", "merge": True, "split": "item"},
    "birds": {"kind": "image_folder", "folder": "/x", "split": "class", "validation": "items"},
    "clinc150": {"kind": "text", "file": "/x/clinc150.csv", "split": "given"},
    "spoken-digits": {"kind": "spoken_digits", "images": "mnist"},
}
"""Data sections of the cases that need files."""


def specs(part: str) -> dict[str, ComparisonSpec]:
    """Return the spec of each case for a part, as the product reads it."""
    [known] = [one for one in PARTS if one == part]
    found = {}
    for name, case in CASES.items():
        data: Mapping[str, Any] | None = DATA.get(name) or case.make(None, Path("/x"))
        assert data is not None
        if part != "splits" or case.splits:
            found[name] = parse_spec(comparison_spec(name, case, data, known))
    return found


def test_a_table_is_written_between_its_marks_again_and_again() -> None:
    page = "a\n<!-- table: x -->\nold\n<!-- end -->\nb\n<!-- table: y -->\n<!-- end -->\n"
    once = with_table(page, "x", ["| 1 |", "|--|"])
    assert once == (
        "a\n<!-- table: x -->\n\n| 1 |\n|--|\n\n<!-- end -->\nb\n<!-- table: y -->\n<!-- end -->\n"
    )
    assert with_table(once, "x", ["| 1 |", "|--|"]) == once


def test_a_table_without_a_place_is_refused() -> None:
    with pytest.raises(ValueError, match="0 places for the table 'z'"):
        with_table("a\n", "z", [])


def test_the_page_has_a_filled_place_for_each_table() -> None:
    found = dict(TABLE.findall(PAGE.read_text()))
    claims = {
        f"{case} {name}" for case in EPOCHS for name in ("words", "claims", "results", "flips")
    }
    both = {f"{case} {name}" for case in CASES for name in ("losses", "moves")}
    assert set(found) == {"headline", *claims, *both}
    assert all("|--|" in lines for lines in found.values())
    titles = [case.title for case in CASES.values()]
    rows = found["headline"].strip().splitlines()[2:]
    assert [row.split("|")[1].strip() for row in rows] == titles


def test_the_page_has_a_section_with_text_for_each_data_set() -> None:
    page = PAGE.read_text()
    for name, case in CASES.items():
        section = page.split(f"\n### {case.title}\n")[1].split("\n## ")[0].split("\n### ")[0]
        assert f"<!-- table: {name} moves -->" in section
        assert section.rsplit("<!-- end -->", 1)[1].strip().endswith(".")
    assert not re.search(r"PROSE|IN_SHORT|CLAIMS_SHORT", page)


def test_ten_losses_and_ten_seeds_stand_at_one_margin() -> None:
    for name, spec in specs("one margin").items():
        left_out = len(OF_ONE_MODALITY) if CASES[name].visual_encoder else 0
        assert len(spec.arms) == 10 - left_out
        assert len(spec.seeds) == SEEDS
        assert spec.tuning is None


def test_each_protocol_names_two_arms_of_the_comparison() -> None:
    for spec in specs("balance").values():
        arms = {arm.name: arm.loss.kind for arm in spec.arms}
        for a, b in PROTOCOLS.values():
            assert (arms[a], arms[b]) == ("contrastive", "triplet")


def test_the_margin_alone_differs_between_the_arms_of_a_kind() -> None:
    for spec in specs("margins").values():
        arms = {arm.name: arm.loss.model_dump() for arm in spec.arms}
        for margin in MARGINS:
            assert [arms[name].pop("margin") for name in margin_arms(margin)] == [margin, margin]
        for place in range(2):
            names = [margin_arms(margin)[place] for margin in MARGINS]
            assert all(arms[name] == arms[names[0]] for name in names)


def test_splits_vary_where_they_can_and_budgets_are_equal() -> None:
    assert set(specs("splits")) == {name for name, case in CASES.items() if case.splits}
    assert all(spec.replicate == "split" for spec in specs("splits").values())
    for name, spec in specs("equal budget").items():
        assert spec.tuning is not None
        assert spec.tuning.trials == CASES[name].trials
        assert {"contrastive", "triplet"} <= {arm.name for arm in spec.arms}


def test_a_case_without_its_files_is_left_out(tmp_path: Path) -> None:
    for files in (None, tmp_path):
        missing = {name for name, case in CASES.items() if case.make(files, tmp_path) is None}
        assert missing == set(DATA)
    assert not list(tmp_path.iterdir())


def test_mnist_becomes_a_table_of_as_many_images_of_each_digit(tmp_path: Path) -> None:
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    labels = (np.arange(10 * (MNIST_IMAGES + 5)) % 10).astype(np.uint8)
    images = np.repeat(labels[:, None], 28 * 28, axis=1)
    for name, head, body in (("images-idx3", 16, images), ("labels-idx1", 8, labels)):
        packed = gzip.compress(bytes(head) + body.tobytes(), compresslevel=1)
        (raw / f"train-{name}-ubyte.gz").write_bytes(packed)
    section = CASES["mnist"].make(tmp_path, tmp_path)
    assert section is not None
    with np.load(section["file"]) as table:
        assert np.bincount(table["labels"]).tolist() == [MNIST_IMAGES] * 10
        # Each image is its label, from 0 to 255 as from 0 to 1.
        assert np.allclose(table["features"][:, 0] * 255, table["labels"])


class FakeApi:
    """Keeps what is submitted, ended with one failed run each."""

    def __init__(self) -> None:
        self.made: list[dict[str, Any]] = []

    def comparisons(self, *, tag: str) -> dict[str, Any]:
        return {"comparisons": [one for one in self.made if tag in one["tags"]]}

    def create(self, spec: Mapping[str, Any]) -> dict[str, Any]:
        ended = {"state": "succeeded", "runs": {"failed": 1}}
        self.made.append({**spec, **ended, "id": f"c{len(self.made)}"})
        return self.made[-1]

    def comparison(self, comparison: str) -> dict[str, Any]:
        [own] = [one for one in self.made if one["id"] == comparison]
        return own


def test_what_ran_already_is_not_submitted_again(capsys: pytest.CaptureFixture[str]) -> None:
    api = FakeApi()
    bench = Bench(cast(Api, api))
    assert bench.run([{"name": "a"}, {"name": "b"}]) == ["c0", "c1"]
    again = bench.run([{"name": "b"}, {"name": "a"}, {"name": "a", "seeds": [1]}])
    assert again == ["c1", "c0", "c2"]
    assert [one["name"] for one in api.made] == ["a", "b", "a"]
    assert "a: 1 runs failed" in capsys.readouterr().err
    assert bench.ended({"name": "b"}) == "c1"
    assert bench.ended({"name": "c"}) is None


def test_parts_that_are_not_asked_for_are_taken_as_they_are_and_not_run() -> None:
    class Answers(FakeApi):
        def verdict(self, comparison: str, a: str, b: str) -> dict[str, Any]:
            return {"of": comparison}

        def summary(self, comparison: str) -> dict[str, Any]:
            return {"of": comparison}

        def leaderboard(self, comparison: str, metrics: object) -> dict[str, Any]:
            return {"of": comparison}

    api = Answers()
    bench = Bench(cast(Api, api))
    data = {"digits": {"kind": "digits"}}
    run(bench, data, ["one margin", "margins"])
    measured = run(bench, data, ["balance"])["digits"]
    assert [one["name"] for one in api.made] == [
        "findings: digits, one margin",
        "findings: digits, margins",
        "findings: digits, balance",
    ]
    assert measured.summaries == {
        "one margin": {"of": "c0"},
        "margins": {"of": "c1"},
        "balance": {"of": "c2"},
    }
    assert measured.verdicts == {"one margin": {"of": "c0"}}


def test_the_headline_keeps_the_rows_of_data_sets_that_are_not_redone() -> None:
    page = PAGE.read_text()
    rows = dict(TABLE.findall(page))["headline"].strip().splitlines()
    assert whole_headline(page, {}) == rows
    redone = whole_headline(page, {"birds": Measured(CASES["birds"], {}, {}, {})})
    [changed] = [new for old, new in zip(rows, redone, strict=True) if old != new]
    assert changed.startswith("| Birds, unseen species | not run |")

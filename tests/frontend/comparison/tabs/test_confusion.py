"""Which classes are confused: matrices, the table, and the section on the page."""

from collections.abc import Iterator
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from frontend.comparison.tabs.confusion_figures import (
    class_order,
    confusion_matrices,
    confusion_rows,
)
from tests.support.api_peer import ApiPeer
from tests.support.comparison_page import ID, comparison_peer, lay, opened, shown_texts
from tests.support.models_shown import arm_confusion, confusion

PULL = arm_confusion("contrastive", (0, 1, 4.0), (1, 0, 2.0))
RANK = arm_confusion("triplet", (0, 1, 1.0), (2, 1, 1.5))


@pytest.fixture
def peer(monkeypatch: pytest.MonkeyPatch) -> Iterator[ApiPeer]:
    with comparison_peer(monkeypatch) as peer:
        yield peer


def shown(peer: ApiPeer, found: dict[str, Any], state: str = "succeeded") -> AppTest:
    lay(peer, state, succeeded=4)
    peer.answers[f"GET /comparisons/{ID}/confusion"] = found
    at = opened(tab="retrieval")
    assert not at.exception
    return at


def captions(at: AppTest) -> str:
    return "\n".join(caption.value for caption in at.caption)


def test_matrices_have_one_order_and_one_scale() -> None:
    figure = confusion_matrices(confusion(PULL, RANK))
    right_pull, pull, right_rank, rank = figure.data
    assert pull.x == pull.y == rank.x == rank.y
    assert pull.zmax == rank.zmax == 0.4  # 4 of 10 items
    place = {name: at for at, name in enumerate(pull.x)}
    assert pull.z[place["1"]][place["7"]] == 0.4
    assert rank.z[place["8"]][place["7"]] == 1.5 / 20
    assert pull.z[place["8"]][place["8"]] is None
    assert right_pull.z[place["1"]][place["1"]] == 0.9
    assert [trace.showscale for trace in figure.data] == [False, True, False, False]
    said = pull.customdata[place["1"]][place["7"]]
    assert said == "1: nearest neighbour in 7<br>4 of 10 items (40.0%)<br>3.5 to 4.5 by seed"
    assert right_rank.xaxis == rank.xaxis == "x2"


def test_classes_that_are_confused_stand_side_by_side() -> None:
    pairs = [(0, 3, 5.0), (3, 0, 5.0), (1, 4, 5.0), (2, 5, 4.0), (3, 6, 2.0)]
    made = arm_confusion("contrastive", *pairs, right=(1.0,) * 7)
    found = confusion(made, classes=[f"c{at}" for at in range(7)], items=[10] * 7)
    order = class_order(found)
    assert sorted(order) == list(range(7))
    for a, b in ((0, 3), (1, 4), (2, 5), (3, 6)):
        assert abs(order.index(a) - order.index(b)) == 1, order


def test_names_are_text_and_equal_short_names_stay_apart() -> None:
    classes = ["<b>a very long name 1", "<b>a very long name 2", "c"]
    figure = confusion_matrices(confusion(PULL, classes=classes))
    assert len(set(figure.data[1].x)) == 3
    assert all("<b>" not in tick for tick in figure.data[1].x)


def test_the_table_has_items_by_arm_and_their_difference() -> None:
    first, second, third = confusion_rows(confusion(PULL, RANK))
    assert first == {
        "Class": "1",
        "Nearest neighbour in": "7",
        "Items": 10,
        "contrastive": 4.0,
        "triplet": 1.0,
        "Difference": 3.0,
    }
    assert (second["Class"], second["triplet"], second["Difference"]) == ("7", 0.0, 2.0)
    assert (third["Class"], third["contrastive"], third["Difference"]) == ("8", 0.0, -1.5)
    [row] = confusion_rows(confusion(arm_confusion("Items", (0, 1, 2.0))))
    assert (row["Items"], row["Items (arm)"]) == (10, 2.0)


def test_the_page_shows_matrices_of_few_classes_and_the_table(peer: ApiPeer) -> None:
    at = shown(peer, confusion(PULL, RANK | {"others": 4.4e-16}))
    assert "Which classes get confused" in [title.value for title in at.subheader]
    [table] = at.dataframe
    assert list(table.value["contrastive"]) == [4.0, 2.0, 0.0]
    assert shown_texts(table, "Difference") == ["+3.0", "+2.0", "−1.5"]
    assert "not listed" not in captions(at)
    [seed] = [box for box in at.selectbox if box.label == "Seed"]
    assert seed.options == ["mean of 2 seeds", "seed 0", "seed 1"]
    assert "mean over 2 seeds" in captions(at)


def test_a_seed_can_be_chosen(peer: ApiPeer) -> None:
    at = shown(peer, confusion(PULL, RANK))
    peer.answers[f"GET /comparisons/{ID}/confusion"] = confusion(PULL, seeds=[0, 1])
    [seed] = [box for box in at.selectbox if box.label == "Seed"]
    seed.set_value(1).run()
    assert not at.exception
    assert "seed 1" in captions(at)


def test_of_many_classes_only_the_table_is_shown(peer: ApiPeer) -> None:
    classes, right = [f"c{at}" for at in range(30)], (5.0,) * 30
    many = arm_confusion("contrastive", (0, 29, 3.0), right=right) | {"others": 12.0}
    at = shown(peer, confusion(many, classes=classes, items=[5] * 30, seeds=[0]))
    [table] = at.dataframe
    assert list(table.value["Nearest neighbour in"]) == ["c29"]
    assert "12 items of an arm are in pairs not listed" in captions(at)


@pytest.mark.parametrize(
    ("state", "lacking", "said"),
    [
        ("running", [], "first run that succeeds"),
        ("succeeded", ["contrastive", "triplet"], "older versions"),
        ("failed", [], "No run has succeeded"),
    ],
)
def test_without_a_confusion_the_section_says_why(
    peer: ApiPeer, state: str, lacking: list[str], said: str
) -> None:
    at = shown(peer, confusion(lacking=lacking, classes=[], items=[], seeds=[]), state)
    assert said in captions(at)


def test_arms_without_one_are_named(peer: ApiPeer) -> None:
    at = shown(peer, confusion(PULL, lacking=["triplet"]))
    assert "Not kept for runs of older versions: triplet" in captions(at)

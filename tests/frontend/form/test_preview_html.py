"""The preview block as text: figures, ranges, unknowns, warnings, problems, no API."""

from typing import Any

import pytest

from frontend.errors import ApiAwayError, ApiError, FieldProblem
from frontend.form.preview import Answer, PreviewReader
from frontend.form.preview_html import preview_html
from frontend.form.preview_text import amount_text, time_figure


def amount(least: int, most: int | None = None, *, about: bool = False) -> Any:
    return {"least": least, "most": least if most is None else most, "about": about}


def part(items: int, classes: int = 10, smallest: int = 7) -> Any:
    return {
        "items": amount(items),
        "classes": amount(classes),
        "smallest_class": amount(smallest),
    }


MEMORY = {"items": 460_000, "network": 1_400_000, "batch": 36_000_000, "total": 37_860_000}
UNKNOWN: Any = {"items": None, "classes": None, "smallest_class": None}
PAIRS: Any = {
    "unit": "pairs",
    "total": 2016.0,
    "positive_pairs": 201.4,
    "negative_pairs": 1814.6,
    "mean": True,
    "selection": "semi_hard",
}


def arm(name: str, steps: int | None = 128, tuples: Any = PAIRS) -> Any:
    return {
        "name": name,
        "batch_size": 64,
        "epochs": 8,
        "steps_per_epoch": None if steps is None else amount(steps // 8),
        "steps": None if steps is None else amount(steps),
        "trial_steps": None,
        "tuples": tuples,
        "memory": None if steps is None else MEMORY,
    }


def planned(**changes: Any) -> Any:
    usual = {"slots": 2, "waiting": 0, "work_s": 840.0, "basis": "earlier"}
    return {**usual, "begins_in_s": 0.0, "ends_in_s": 420.0, **changes}


def preview(*arms: Any, **changes: Any) -> Any:
    return {
        "runs": {"trials": 0, "trial_runs": 0, "final_runs": 2},
        "splits": {"train": part(1074), "validation": part(358), "test": part(365)},
        "trial_splits": None,
        "arms": list(arms) or [arm("one")],
        "schedule": planned(),
        "warnings": [],
        **changes,
    }


def html(found: Any) -> str:
    return preview_html(Answer(found), {})


@pytest.mark.parametrize(
    ("found", "text"),
    [
        (amount(1074), "1,074"),
        (amount(4690, about=True), "about 4,690"),
        (amount(980, 1020), "980 to 1,020"),
    ],
)
def test_an_amount_says_how_well_it_is_known(found: Any, text: str) -> None:
    assert amount_text(found) == text


def test_numbers_of_splits_steps_and_tuples() -> None:
    text = html(preview())
    assert "1,074 items<small>10 classes, smallest 7" in text
    assert "aria-label='Items: 1,074 train, 358 validation, 365 test'" in text
    assert "128<small>16 an epoch · batch 64, 8 epochs" in text
    assert "about 2,020 pairs<small>about 201 positive, about 1,810 negative pairs" in text
    assert "negative pairs, semi hard" in text
    assert "roughly 38 MB<small>items 460 kB, network and optimiser 1.4 MB, batch 36 MB" in text
    assert "lb-warned" not in text


def test_arms_that_differ_have_a_line_each() -> None:
    text = html(preview(arm("a<b"), arm("long", 256), arm("other")))
    assert "a&lt;b, other" in text
    assert "256" in text
    assert text.count("about 2,020 pairs") == 1


def test_unknown_is_said_and_not_guessed() -> None:
    splits = {"train": UNKNOWN, "validation": UNKNOWN, "test": UNKNOWN}
    text = html(preview(arm("one", None, None), splits=splits))
    assert text.count("known once the data are read") == 6
    assert "lb-split" not in text


def test_warnings_are_listed_escaped() -> None:
    warned = [{"code": "few_steps", "path": "training.epochs", "message": "Arm '<b>' takes 6"}]
    text = html(preview(warnings=warned))
    assert "Arm &#x27;&lt;b&gt;&#x27; takes 6" in text


def test_a_form_that_is_not_complete_names_its_problems() -> None:
    problems = [FieldProblem(f"arms[{at}].name", "is <empty>") for at in range(5)]
    text = preview_html(Answer(problems=problems), {})
    assert "once the form is complete" in text
    assert text.count("is &lt;empty&gt;") == 3
    assert "and 2 more" in text


class Client:
    """A client that counts its calls."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.asked: list[Any] = []

    def preview(self, spec: Any) -> Any:
        self.asked.append(spec)
        answer = self.answers.pop(0)
        if isinstance(answer, ApiError):
            raise answer
        return answer


def test_the_api_is_asked_once_for_a_spec() -> None:
    first, second = preview(), preview(arm("two"))
    client: Any = Client(first, second)
    reader = PreviewReader()
    assert reader.read(client, {"name": "a"}).preview == first
    assert reader.read(client, {"name": "a"}).preview == first
    assert reader.read(client, {"name": "b"}).preview == second
    assert len(client.asked) == 2


def test_an_api_that_is_away_is_asked_again() -> None:
    problem = ApiError("invalid_spec", "no", [FieldProblem("name", "required")])
    client: Any = Client(ApiAwayError("away", "The API is <away>."), problem)
    reader = PreviewReader()
    away = reader.read(client, {})
    assert "No preview now.</b> The API is &lt;away&gt;." in preview_html(away, {})
    assert reader.read(client, {}).problems == (FieldProblem("name", "required"),)
    assert reader.read(client, {}).problems, "problems of the same spec are not asked again"


@pytest.mark.parametrize(
    ("changes", "main", "more"),
    [
        ({}, "about 7 min", "on 2 slots, starts at once; as earlier runs like it took"),
        (
            {"begins_in_s": 720.0, "ends_in_s": 1140.0, "waiting": 38},
            "about 7 min",
            "on 2 slots, starts in about 12 min, 38 runs waiting; as earlier runs like it took",
        ),
        (
            {"begins_in_s": None, "ends_in_s": None},
            "about 14 min of one slot",
            "on 2 slots; its start is not known yet",
        ),
        (
            {"work_s": None, "begins_in_s": None},
            "not known yet",
            "nothing like it has run here; on 2 slots",
        ),
        ({"slots": 0}, "no worker", "no connected worker may take its runs; they wait for one"),
    ],
)
def test_the_time_says_what_it_is_known_from(changes: dict[str, Any], main: str, more: str) -> None:
    found = time_figure(planned(**changes))
    assert found[:2] == (main, more)
    assert found.later is ("about" not in main)

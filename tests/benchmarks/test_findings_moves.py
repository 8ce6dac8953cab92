from typing import Any

from benchmarks.findings_data import CASES
from benchmarks.findings_moves import (
    DETAIL_KEY,
    Measured,
    differences,
    headline,
    losses_table,
    moves_table,
)
from benchmarks.findings_specs import CONTRASTIVE, PROTOCOLS, TRIPLET

KEY = "test.retrieval.map_at_r"


def summary(arms: dict[str, list[float | None]], key: str = KEY) -> dict[str, Any]:
    """Return what the API says of one metric of these arms."""
    return {
        "metrics": [
            {
                "key": key,
                "arms": [
                    {
                        "arm": arm,
                        "values": [
                            {"seed": seed, "value": value} for seed, value in enumerate(values)
                        ],
                    }
                    for arm, values in arms.items()
                ],
            }
        ]
    }


def verdict(retrieval: str, detail: str = "not_measured") -> dict[str, Any]:
    return {"claims": [{"id": 8, "verdict": retrieval}, {"id": 9, "verdict": detail}]}


def board(key: str, arms: list[tuple[str, float | None, str]]) -> dict[str, Any]:
    rows = [
        {"arm": arm, "mean": mean, "sd": 0.01, "letters": letters, "state": "not measured"}
        for arm, mean, letters in arms
    ]
    references = {"untrained": 0.25, "raw_backbone": None, "chance": None}
    return {"metrics": [{"key": key, "arms": rows, **references}]}


def test_differences_are_paired_by_seed_and_leave_out_what_one_arm_lacks() -> None:
    own = differences(summary({"a": [0.5, None, 0.9], "b": [0.25, 0.1, 0.4]}), KEY, "a", "b")
    assert own is not None
    assert own.values == (0.25, 0.5)
    assert own.text == "+0.375 ± 0.177"
    assert differences(summary({"a": [None], "b": [0.1]}), KEY, "a", "b") is None
    assert differences(summary({"a": [0.1]}), "test.other", "a", "b") is None


def test_the_headline_names_who_is_ahead_and_marks_what_turns_round() -> None:
    margins = summary(
        {
            "contrastive 0.1": [0.5, 0.5],
            "triplet 0.1": [0.52, 0.52],
            "contrastive 1": [0.6, 0.7],
            "triplet 1": [0.55, 0.65],
        }
    )
    splits = summary({CONTRASTIVE: [0.5, 0.5], TRIPLET: [0.49, 0.505]})
    one = Measured(
        CASES["synthetic"],
        {
            "one margin": verdict("supported", "leaning_for"),
            "equal budget": verdict("contradicted", "level"),
        },
        {"margins": margins, "splits": splits},
        {},
    )
    *_, row = headline([one])
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells == [
        "Synthetic",
        "triplet",
        "contrastive",
        "leaning to triplet",
        "level",
        "**-0.020 to +0.050**",
        "-0.005 to +0.010",  # either side is ahead, but by no more than a hundredth
        "not run",
    ]


def test_the_headline_says_what_was_not_run_and_where_the_split_is_fixed() -> None:
    *_, row = headline([Measured(CASES["clinc150"], {}, {}, {})])
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells == ["CLINC150", *["not run"] * 5, "fixed", "not run"]
    *_, row = headline([Measured(CASES["digits"], {"one margin": verdict("level")}, {}, {})])
    assert [cell.strip() for cell in row.strip("|").split("|")][1:5] == ["level", "not run", "", ""]


def test_moves_have_a_row_for_each_change_and_count_the_splits() -> None:
    arms: dict[str, list[float | None]] = {}
    for at, names in enumerate(PROTOCOLS.values()):
        for name in names:
            arms[name] = [0.5 + at / 10 if name == names[0] else 0.5] * 2
    one = Measured(
        CASES["digits"],
        {},
        {
            "balance": summary(arms),
            "splits": summary({CONTRASTIVE: [0.5, 0.7, 0.6], TRIPLET: [0.6, 0.6, 0.5]}),
            "equal budget": summary({CONTRASTIVE: [0.7, 0.7], TRIPLET: [0.6, 0.6]}),
        },
        {},
    )
    assert moves_table(one) == [
        f"| contrastive minus triplet | `{KEY}` |",
        "|--|--|",
        "| as the paper samples | +0.000 ± 0 |",
        "| all tuples, balanced | +0.100 ± 0 |",
        "| all tuples alike | +0.200 ± 0 |",
        "| each the best of 16 trials | +0.100 ± 0 |",
        "| 3 splits, margin 1 | +0.033 ± 0.115, above 0 in 2 |",
    ]


def test_losses_that_were_not_tuned_say_so_in_their_own_column() -> None:
    one = Measured(
        CASES["digits"],
        {},
        {},
        {
            "one margin": board(KEY, [("SupCon", 0.97, "a"), (TRIPLET, 0.96, "b")]),
            "equal budget": board(KEY, [(TRIPLET, 0.95, "a")]),
        },
    )
    assert losses_table(one) == [
        "| loss | MAP@R, one margin | MAP@R, equal budget |",
        "|--|--|--|",
        "| SupCon | 0.970 ± 0.01 a | not run |",
        "| triplet | 0.960 ± 0.01 b | 0.950 ± 0.01 a |",
        "| *no training* | untrained network 0.250 | untrained network 0.250 |",
    ]


def test_a_loss_without_a_value_shows_its_state() -> None:
    case = CASES["synthetic"]
    boards = board(DETAIL_KEY, [(TRIPLET, None, "")])
    one = Measured(case, {}, {}, {"one margin": boards})
    assert "| triplet | not run | not measured |" in losses_table(one)

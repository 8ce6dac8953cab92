"""The names of all settings, and what is said of a name that is none."""

from contract.settings import NAMES, PREFIX, unknown_names


def test_a_known_name_and_a_name_of_another_program_are_accepted() -> None:
    assert unknown_names({"LOSSBOARD_LEASE_S": "1", "PATH": "/bin", "LOSS": "x"}) == []


def test_a_mistyped_name_gets_the_closest_setting() -> None:
    assert unknown_names({f"{PREFIX}LEASES": "3"}) == [
        f"{PREFIX}LEASES is not a setting; did you mean LOSSBOARD_LEASE_S?"
    ]


def test_all_unknown_names_are_returned() -> None:
    lines = unknown_names({f"{PREFIX}QQQQQQQQQQQQ": "", f"{PREFIX}WORKER_TOKENS": ""})
    assert [line.split(" ", 1)[0] for line in lines] == [
        f"{PREFIX}QQQQQQQQQQQQ",
        f"{PREFIX}WORKER_TOKENS",
    ]
    assert "docs/SETTINGS.md" in lines[0]


def test_every_name_has_the_prefix() -> None:
    assert all(name.startswith(PREFIX) for name in NAMES)

"""Sessions end when they should, and roles contain one another."""

from frontend.server.sessions import IDLE_S, LONGEST_S, Person, Sessions


def test_sessions_end_after_a_week_and_are_bounded() -> None:
    now = 0.0
    kept = Sessions(lambda: now)
    own = kept.begin("token", Person("Ada", "editor"))
    while now < LONGEST_S:
        assert kept.find(own), "it goes on while it is used"
        now += IDLE_S - 1
    assert kept.find(own) is None
    kept = Sessions(lambda: now, limit=2)
    first, second = (kept.begin("token", Person(name, "viewer")) for name in "ab")
    now += 1
    assert kept.find(first)
    third = kept.begin("token", Person("c", "viewer"))
    assert [bool(kept.find(one)) for one in (first, second, third)] == [True, False, True]
    assert "token" not in repr(kept.find(first)).replace("Session(", "")


def test_a_role_includes_those_before_it() -> None:
    reach = {
        role: [n for n in ("viewer", "editor", "admin") if Person("x", role).may(n)]
        for role in ("viewer", "editor", "admin", "other")
    }
    assert reach == {
        "viewer": ["viewer"],
        "editor": ["viewer", "editor"],
        "admin": ["viewer", "editor", "admin"],
        "other": [],
    }

"""What a viewer is sent at once, and what is held back."""

import asyncio

from backend.db.database import Commit, Update
from backend.db.models import Run
from backend.live.hub import Hub
from backend.live.viewer import Viewer


def run_row(state: str = "running", step: int = 0) -> Run:
    return Run(id="r", comparison_id="c", position=0, arm="a", seed=0, state=state, step=step)  # type: ignore[call-arg]  # created_at does not matter here


def points(*steps: int) -> Update:
    return Update(points={("r", "k"): (list(steps), [float(s) for s in steps])})


def test_progress_is_sent_twice_a_second_and_states_at_once() -> None:
    viewer = Viewer("c", frozenset())
    sent = []
    for tick in range(20):  # a tenth of a second apart
        viewer.add(Update(runs={"r": run_row(step=tick)}), tick + 1, f"{tick}-0")
        sent += [run.step for run in viewer.flush(tick / 10 + 100).runs]
    assert sent == [0, 5, 10, 15]
    assert viewer.held_back
    viewer.add(Update(runs={"r": run_row("succeeded", 20)}), 21, "21-0")
    assert [run.state for run in viewer.flush(102.0).runs] == ["succeeded"]
    assert not viewer.held_back


def test_a_drop_removes_pending_points_of_its_run() -> None:
    viewer = Viewer("c", frozenset())
    viewer.add(points(0, 1, 2), 1, "1-0")
    viewer.add(Update(drops={"r": -1}), 2, "1-0")
    viewer.add(points(0), 3, "2-0")
    flush = viewer.flush(100.0)
    assert flush.updates.drops == {"r": -1}
    assert flush.updates.points == {("r", "k"): ([0], [0.0])}
    assert flush.position == "2-0"


def test_commits_in_the_snapshot_are_not_sent_again() -> None:
    viewer = Viewer("c", frozenset())
    viewer.begin_reset()
    for version in (1, 2, 3):
        viewer.add(points(version), version, f"{version}-0")
    viewer.end_reset(2, "2-0", [], 100.0)
    assert viewer.flush(100.0).updates.points == {("r", "k"): ([3], [3.0])}


def test_resume_works_only_within_the_kept_commits() -> None:
    async def check() -> None:
        hub = Hub(asyncio.get_running_loop(), "5-0")
        for version in range(1, 4):
            hub.publish(Commit(version, f"{version + 5}-0", {"c": points(version)}))
        hub.publish(Commit(4, "8-0", {"c": Update(runs={"r": run_row()})}))
        await asyncio.sleep(0)  # lets the loop deliver

        def resumed(last_id: str) -> tuple[bool, list[int]]:
            viewer = hub.subscribe("c", ())
            known = hub.resume(viewer, last_id)
            pending = [update.points.get(("r", "k"), ([], []))[0] for update in viewer._pending]
            steps = [step for some in pending for step in some]
            hub.unsubscribe(viewer)
            return known, steps

        assert resumed("6-0") == (True, [2, 3])
        assert resumed("7-0") == (True, [3])
        assert resumed("8-0") == (True, [])
        assert resumed("4-9")[0] is False  # before this process
        assert resumed("5-0")[0] is False  # commits of that id may have been before, too
        assert resumed("9-0")[0] is False  # of another stream
        assert resumed("")[0] is False

    asyncio.run(check())


def test_viewers_of_the_same_commits_share_the_merged_updates() -> None:
    async def check() -> None:
        hub = Hub(asyncio.get_running_loop(), "5-0")
        one, two, other = (hub.subscribe("c", keys) for keys in ((), (), ("z",)))
        hub.publish(Commit(1, "6-0", {"c": points(1, 2)}))
        await asyncio.sleep(0)
        late = hub.subscribe("c", ())
        hub.publish(Commit(2, "7-0", {"c": points(3)}))
        await asyncio.sleep(0)
        sent = [viewer.flush(100.0).updates for viewer in (one, two, other, late)]
        assert sent[0] is sent[1]
        assert sent[0].points == {("r", "k"): ([1, 3], [1.0, 3.0])}
        assert sent[2].points == {}
        assert sent[3].points == {("r", "k"): ([3], [3.0])}
        for viewer in (one, two, other, late):
            hub.unsubscribe(viewer)
        assert not hub._merge_caches

    asyncio.run(check())

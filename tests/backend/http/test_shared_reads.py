"""Simultaneous reads share one answer, which is never older than the request."""

import asyncio
from collections.abc import Callable, Coroutine

import httpx
import pytest
from fastapi import Request, Response

from backend.http.shared_reads import SharedHandler
from tests.backend.helpers import Api
from tests.support.specs import small


class Slow:
    """A handler that answers with the world's state once it is released."""

    def __init__(self) -> None:
        self.begun = 0
        self.world = 0
        """The state that a read sees."""
        self.released = asyncio.Semaphore(0)

    async def __call__(self, request: Request) -> Response:
        self.begun += 1
        seen = self.world
        await self.released.acquire()
        if seen < 0:
            raise ValueError(seen)
        return Response(str(seen), headers={"x-once": "1"})


def request(path: str = "/a", query: bytes = b"") -> Request:
    return Request({"type": "http", "path": path, "query_string": query, "headers": []})


async def run_pending_tasks() -> None:
    """Run the event loop until every task waits."""
    for _ in range(20):
        await asyncio.sleep(0)


def run_story(story: Callable[[], Coroutine[None, None, None]]) -> None:
    asyncio.run(story())


def test_waiting_requests_share_a_read_that_began_after_all_of_them() -> None:
    async def story() -> None:
        slow = Slow()
        shared = SharedHandler(slow)
        first = asyncio.create_task(shared(request()))
        await run_pending_tasks()
        slow.world = 1
        waiting = [asyncio.create_task(shared(request())) for _ in range(5)]
        await run_pending_tasks()
        assert slow.begun == 1
        slow.world = 2
        slow.released.release()
        await run_pending_tasks()
        assert slow.begun == 2
        slow.world = 3
        late = asyncio.create_task(shared(request()))
        await run_pending_tasks()
        slow.released.release()
        answers = await asyncio.gather(first, *waiting)
        slow.released.release()
        bodies = [bytes(one.body).decode() for one in (*answers, await late)]
        assert bodies == ["0", *["2"] * 5, "3"]
        assert slow.begun == 3
        assert shared._waiting == {}
        answers[1].headers["own"] = "1"
        assert all("own" not in one.headers for one in answers[2:])

    run_story(story)


def test_other_addresses_do_not_wait() -> None:
    async def story() -> None:
        slow = Slow()
        shared = SharedHandler(slow)
        asked = [request(), request("/b"), request(query=b"x=1")]
        tasks = [asyncio.create_task(shared(one)) for one in asked]
        await run_pending_tasks()
        assert slow.begun == 3
        for _ in tasks:
            slow.released.release()
        await asyncio.gather(*tasks)

    run_story(story)


def test_an_error_reaches_all_requests_before_it_and_none_after() -> None:
    async def story() -> None:
        slow = Slow()
        shared = SharedHandler(slow)
        slow.world = -1
        tasks = [asyncio.create_task(shared(request())) for _ in range(4)]
        await run_pending_tasks()
        slow.released.release()
        await run_pending_tasks()
        assert slow.begun == 2  # the first request failed before the others were made
        slow.world = 1
        late = asyncio.create_task(shared(request()))
        await run_pending_tasks()
        slow.released.release()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
        assert [type(one) for one in ended] == [ValueError] * 4
        slow.released.release()
        assert (await late).body == b"1"
        assert shared._waiting == {}

    run_story(story)


@pytest.mark.parametrize("whose", ["working", "waiting"])
def test_a_cancelled_request_cancels_no_other(whose: str) -> None:
    async def story() -> None:
        slow = Slow()
        shared = SharedHandler(slow)
        tasks = [asyncio.create_task(shared(request())) for _ in range(4)]
        await run_pending_tasks()
        left = tasks.pop({"working": 0, "waiting": 1}[whose])
        left.cancel()
        await run_pending_tasks()
        for _ in tasks:
            slow.released.release()
        answers = await asyncio.gather(*tasks)
        assert [bytes(one.body) for one in answers] == [b"0"] * 3
        assert left.cancelled()
        assert shared._waiting == {}

    run_story(story)


def test_over_http_all_answers_are_whole_and_show_earlier_changes(api: Api) -> None:
    async def ask() -> None:
        async with httpx.AsyncClient(base_url=f"{api.http.base_url}/api/v1", timeout=60) as http:
            for round_ in range(1, 4):
                made = await http.post("/comparisons", json=small(name=f"{round_}"))
                assert made.status_code == 201
                paths = ["/comparisons", f"/comparisons/{made.json()['id']}/runs", "/queue"]
                answers = await asyncio.gather(*(http.get(path) for path in paths * 20))
                assert {answer.status_code for answer in answers} == {200}
                for answer in answers[::3]:
                    assert answer.json()["total"] == round_
                    assert answer.headers.get_list("x-content-type-options") == ["nosniff"]
                missing = await asyncio.gather(*(http.get("/comparisons/c0") for _ in range(9)))
                assert {answer.status_code for answer in missing} == {404}

    asyncio.run(ask())

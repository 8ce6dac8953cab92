"""The event stream in Redis, as the backend reads it."""

from typing import Any, Final, NamedTuple

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import ResponseError
from redis.retry import Retry

from contract.names import COLLECTOR_GROUP, EVENT_FIELD, EVENT_STREAM

CONSUMER: Final = "backend"
"""Only one API process exists, so one name: what a crashed process left pending is read by the
next."""

Entry = tuple[str, bytes | None]
"""A stream entry's id and its event; None if the event is missing."""


class Lag(NamedTuple):
    """How far the database is behind the stream."""

    entries: int
    """Events that are not stored yet."""
    seconds: float
    """Age of the oldest of them, by the clock of the broker, which dates entries; 0 without any."""


class BrokerMemory(NamedTuple):
    """The memory of the broker, in bytes. At its limit it refuses every event."""

    used: int
    limit: int
    """0 for none."""


def connect(url: str, *, timeout: float = 5.0) -> "Redis":
    """Open a client that raises every failure instead of retrying by itself."""
    return Redis.from_url(
        url,
        protocol=2,
        socket_timeout=timeout,
        socket_connect_timeout=2.0,
        retry=Retry(NoBackoff(), 0),
    )


def entry_order(entry: str) -> tuple[int, int]:
    """Return an entry id as numbers that can be compared.

    Raises:
        ValueError: it is not an entry id.
    """
    milliseconds, _, number = entry.partition("-")
    return int(milliseconds), int(number or 0)


def newest_entry(client: Redis) -> str:
    """Return the id of the newest entry that was ever added."""
    try:
        info: Any = client.xinfo_stream(EVENT_STREAM)
    except ResponseError:
        return "0-0"  # nothing was ever added
    return _text(info["last-generated-id"])


def join_group(client: Redis) -> str:
    """Create the consumer group if missing; return the id up to which it was delivered."""
    try:
        client.xgroup_create(EVENT_STREAM, COLLECTOR_GROUP, id="0", mkstream=True)
    except ResponseError as error:
        if "BUSYGROUP" not in str(error):
            raise
    groups: Any = client.xinfo_groups(EVENT_STREAM)
    return next(
        _text(group["last-delivered-id"])
        for group in groups
        if _text(group["name"]) == COLLECTOR_GROUP
    )


def read_entries(client: Redis, *, pending: bool, count: int, block_ms: int) -> list[Entry]:
    """Return the next entries: those delivered before but not acknowledged, or new ones."""
    answer: Any = client.xreadgroup(
        COLLECTOR_GROUP,
        CONSUMER,
        {EVENT_STREAM: "0" if pending else ">"},
        count=count,
        block=None if pending else block_ms,
    )
    field = EVENT_FIELD.encode()
    return [
        (_text(entry), fields.get(field) if fields else None)
        for _, entries in answer or ()
        for entry, fields in entries
    ]


def acknowledge(client: Redis, entries: list[str]) -> None:
    """Acknowledge entries and remove them from the stream."""
    with client.pipeline(transaction=False) as pipe:
        pipe.xack(EVENT_STREAM, COLLECTOR_GROUP, *entries)
        pipe.xdel(EVENT_STREAM, *entries)
        pipe.execute()


def lag(client: Redis) -> Lag:
    """Measure the lag: stored entries are removed, so those in the stream are not stored yet."""
    with client.pipeline(transaction=False) as pipe:
        pipe.xlen(EVENT_STREAM)
        pipe.xrange(EVENT_STREAM, count=1)
        pipe.time()
        entries, first, (seconds, microseconds) = pipe.execute()
    if not first:
        return Lag(int(entries), 0.0)
    added = entry_order(_text(first[0][0]))[0] / 1e3
    return Lag(int(entries), max(0.0, seconds + microseconds / 1e6 - added))


def memory(client: Redis) -> BrokerMemory:
    """Return how much memory the broker uses, as it compares it with its limit.

    A broker that does not tell, as some that others run do, has no limit here.
    """
    try:
        info: Any = client.info("memory")
    except ResponseError:
        return BrokerMemory(0, 0)
    not_counted = int(info.get("mem_not_counted_for_evict", 0))
    used = int(info.get("used_memory", 0)) - not_counted
    return BrokerMemory(max(0, used), int(info.get("maxmemory", 0)))


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)

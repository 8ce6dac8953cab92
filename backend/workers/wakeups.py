"""Wake-ups for workers: Celery messages that carry no run; the slot asks the API for one."""

from typing import Final

from celery import Celery

from backend.ingest import event_stream
from contract.names import WAKE_TASK, wake_queue

PER_SLOT: Final = 2
"""Wake-ups that wait per slot: one for now, one for when it is done."""


class WakeQueue:
    """Sends wake-ups; used by the sweeper's thread only."""

    def __init__(self, redis_url: str) -> None:
        self._client = event_stream.connect(redis_url, timeout=2.0)
        self._celery = Celery("lossboard", broker=redis_url, set_as_current=False)
        self._celery.conf.update(
            broker_transport_options={"socket_connect_timeout": 2, "socket_timeout": 2},
            broker_connection_retry=False,
            task_ignore_result=True,
        )

    def top_up(self, device: str, queued: int, slots: int) -> int:
        """Make sure that wake-ups wait for queued runs; how many were sent.

        Raises:
            redis.RedisError, kombu.exceptions.OperationalError: the broker is away.
        """
        queue = wake_queue(device)
        waiting = int(self._client.llen(queue))
        missing = min(queued, PER_SLOT * max(1, slots)) - waiting
        for _ in range(missing):
            self._celery.send_task(
                WAKE_TASK,
                queue=queue,
                ignore_result=True,
                retry=True,
                retry_policy={"max_retries": 1, "interval_start": 0, "interval_step": 0.1},
            )
        return max(0, missing)

    def tail(self) -> str:
        """The event stream's newest entry.

        Raises:
            redis.RedisError: the broker is away.
        """
        return event_stream.newest_entry(self._client)

    def behind(self) -> event_stream.Lag:
        """How far the database is behind the event stream; from any thread.

        Raises:
            redis.RedisError: the broker is away.
        """
        return event_stream.lag(self._client)

    def close(self) -> None:
        """Close all connections."""
        self._celery.close()
        self._client.close()

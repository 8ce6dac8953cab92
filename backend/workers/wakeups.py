"""Wake workers by Celery messages. A message names no run: the woken slot asks the API for one."""

from typing import Final

from celery import Celery

from backend.ingest import event_stream
from contract.names import WAKE_TASK, wake_queue

PER_SLOT: Final = 2
"""Messages waiting in the queue for each slot: one for now, one for when its run is over."""


class WakeQueue:
    """Sends wake-ups. Only the sweeper's thread may use it, except `behind` and
    `broker_memory`."""

    def __init__(self, redis_url: str) -> None:
        self._client = event_stream.connect(redis_url, timeout=2.0)
        self._celery = Celery("lossboard", broker=redis_url, set_as_current=False)
        self._celery.conf.update(
            broker_transport_options={"socket_connect_timeout": 2, "socket_timeout": 2},
            broker_connection_retry=False,
            task_ignore_result=True,
        )

    def top_up(self, device: str, queued: int, slots: int) -> int:
        """Send as many wake-ups as the queued runs of a device class need; return how many.

        Raises:
            redis.RedisError, kombu.exceptions.OperationalError: the broker is unavailable.
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
        """Return the id of the event stream's newest entry.

        Raises:
            redis.RedisError: the broker is unavailable.
        """
        return event_stream.newest_entry(self._client)

    def behind(self) -> event_stream.Lag:
        """Return how far the database is behind the event stream. Any thread may call this.

        Raises:
            redis.RedisError: the broker is unavailable.
        """
        return event_stream.lag(self._client)

    def broker_memory(self) -> event_stream.BrokerMemory:
        """Return the memory of the broker. Any thread may call this.

        Raises:
            redis.RedisError: the broker is unavailable.
        """
        return event_stream.memory(self._client)

    def close(self) -> None:
        """Close all connections."""
        self._celery.close()
        self._client.close()

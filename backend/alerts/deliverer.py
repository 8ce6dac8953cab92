"""Threads that send what waits in the outbox.

One looks what is due; each receiver that has something gets a thread of its own until nothing is
due for it any more, at most WORKERS at a time. So a receiver gets its alerts one after the other in
their order, and one that hangs holds up no other. What was sent is stored after the answer: an API
that is killed in between sends it again, under the same id.
"""

import json
import logging
import threading
import time
from collections.abc import Callable
from typing import Final

from sqlalchemy.exc import OperationalError

from backend.alerts import events, repository
from backend.alerts.posting import Outcome, Poster
from backend.alerts.signature import signed_headers
from backend.db.database import Commit, Database
from backend.http.times import CLOCK, iso

log = logging.getLogger(__name__)

WORKERS: Final = 4
LONGEST_WAIT_S: Final = 60.0
RETRY_S: Final = 1.0
CLEAN_EVERY_S: Final = 3600.0


class Deliverer(threading.Thread):
    """The thread that looks what is due."""

    def __init__(
        self,
        database: Database,
        poster: Poster,
        *,
        public_url: str = "",
        clock: Callable[[], float] = CLOCK,
    ) -> None:
        super().__init__(name="alerts", daemon=True)
        self._database = database
        self._poster = poster
        self._public_url = public_url
        self._clock = clock
        self._woken = threading.Event()
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self._serving: dict[str, threading.Thread] = {}
        self._clean_at = 0.0

    def look_soon(self) -> None:
        """Look now; may be called from any thread."""
        self._woken.set()

    def after_commit(self, commit: Commit) -> None:
        """Look now if a commit changed a run, as it may have stored an alert."""
        if any(update.runs for update in commit.updates.values()):
            self._woken.set()

    def stop(self) -> None:
        """Ask all threads to end, and end the calls that are under way."""
        self._stopped.set()
        self._woken.set()
        self._poster.close()

    def join(self, timeout: float | None = None) -> None:
        """Wait for their end."""
        super().join(timeout)
        with self._lock:
            serving = list(self._serving.values())
        for thread in serving:  # one that waits for a name server ends with the process
            thread.join(RETRY_S)

    def run(self) -> None:
        """Send until stopped, whatever fails meanwhile."""
        while not self._stopped.is_set():
            wait_s = RETRY_S
            try:
                wait_s = self.look()
            except OperationalError as error:
                log.warning("the database is busy, alerts are sent a little later: %s", error)
            except Exception:
                log.exception("looking for alerts failed and is tried again")
            self._woken.wait(wait_s)
            self._woken.clear()

    def look(self) -> float:
        """Give threads to the receivers with something to send; return the seconds until the next
        look."""
        now = self._clock()
        if now >= self._clean_at:
            with self._database.write() as write:
                repository.delete_old(write, now)
            self._clean_at = now + CLEAN_EVERY_S
        with self._database.read() as session:
            due = repository.due(session, now)
        with self._lock:
            free = WORKERS - len(self._serving)
            chosen = [own for own in due.receivers if own not in self._serving][: max(0, free)]
            for own in chosen:
                thread = threading.Thread(
                    target=self._serve, args=(own,), name=f"alerts {own}", daemon=True
                )
                self._serving[own] = thread
                thread.start()
        left = LONGEST_WAIT_S if due.next_at is None else due.next_at - now
        return min(max(left, 0.01), LONGEST_WAIT_S)

    def _serve(self, own: str) -> None:
        """Send to one receiver, as long as something is due and arrives."""
        try:
            while not self._stopped.is_set() and self._send_next(own):
                pass
        except Exception:
            log.exception("sending alerts to receiver %s failed and is tried again", own)
            self._stopped.wait(RETRY_S)
        finally:
            with self._lock:
                del self._serving[own]
            self._woken.set()  # something may have been queued, or may wait for this thread

    def _send_next(self, own: str) -> bool:
        """Send the next alert of a receiver; return whether there may be more to send now."""
        with self._database.read() as session:
            sent = repository.head(session, own, self._clock())
        if sent is None:
            return False
        outcome = self._post(sent)
        if self._stopped.is_set() and outcome.status is None:
            return False  # it was ended by us and says nothing about the receiver
        assert sent.delivery.id is not None
        self._store(sent.delivery.id, outcome)
        if outcome.problem:
            log.warning("alert %d to receiver %s: %s", sent.delivery.alert_id, own, outcome.problem)
        return not outcome.problem

    def _post(self, sent: repository.Sent) -> Outcome:
        alert, receiver = sent.alert, sent.receiver
        content = events.body(alert.type, iso(alert.at), alert.content, self._public_url)
        body = json.dumps(content, ensure_ascii=False).encode()
        headers = signed_headers(receiver.secret, alert.message, int(time.time()), body)
        return self._poster.post(receiver.url, body, headers)

    def _store(self, delivery: int, outcome: Outcome) -> None:
        """Store an outcome, as soon as the database takes it."""
        while True:
            try:
                with self._database.write() as write:
                    repository.note_outcome(write, delivery, outcome, self._clock())
                return
            except OperationalError as error:
                log.warning("the outcome of an alert is stored a little later: %s", error)
                if self._stopped.wait(RETRY_S):
                    return

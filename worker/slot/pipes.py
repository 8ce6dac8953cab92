"""The trainer's side of the two pipes to its slot."""

import json
import os
import sys
import threading
from collections.abc import Mapping
from typing import BinaryIO, Final, Protocol, Self

from pydantic import TypeAdapter

from worker.api.client import Claim
from worker.reporting.signs_of_life import Sign

GIVEN_BACK: Final = 75
"""Exit code of a trainer that gave runs back at a checkpoint, as its slot asked."""
TRAINER_NAME: Final = "lb-trainer"
TEMPLATE_NAME: Final = "lb-template"
"""Names of the processes, for `ps` and `top`: both have the same command line."""
_CLAIMS: Final = TypeAdapter(list[Claim])


class OrderedRun(Protocol):
    """A run of this trainer, as its slot gives orders for it; other threads call it."""

    def mark_stored(self, seq: int) -> None:
        """Note that the backend has stored all its events up to number `seq`."""

    def cancel(self) -> None:
        """Stop it before its end."""

    def give_up(self) -> None:
        """Stop it, and report nothing more: it is no longer this trainer's."""

    def end_soon(self) -> None:
        """Do not wait for the backend any more: the run is about to be given back."""


class SlotPipes:
    """The trainer's side of the pipes to its slot.

    The end of stdin means that the slot has ended; a trainer with a run then exits at once.
    """

    def __init__(self, orders: BinaryIO, answers: BinaryIO) -> None:
        self._orders = orders
        self._answers = answers
        self._worker_stopping = threading.Event()

    @classmethod
    def of_this_process(cls) -> Self:
        """Take over stdin and stdout; what libraries print from now on goes to stderr."""
        answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb", buffering=0)
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        return cls(sys.stdin.buffer, answers)

    def close(self) -> None:
        """Close the answers, where another process goes on with the streams."""
        self._answers.close()

    def send(self, **facts: object) -> None:
        """Send the slot one message."""
        self._answers.write(json.dumps(facts).encode() + b"\n")

    def send_sign(self, sign: Sign) -> None:
        """Send the slot a sign of life; exits if the slot has ended."""
        try:
            self.send(alive=sign.model_dump())
        except BrokenPipeError:
            os._exit(1)  # as `_listen`, which may notice later

    def wait_for_claims(self) -> list[Claim]:
        """Return the first message: the claims of the runs to train, together if there are several;
        an empty list if the slot has ended."""
        line = self._orders.readline()
        return _CLAIMS.validate_python(json.loads(line)["claims"]) if line else []

    def listen(self, runs: Mapping[str, OrderedRun]) -> None:
        """Pass on all further messages, in a thread.

        Args:
            runs: of this trainer, by id.
        """
        threading.Thread(target=self._listen, args=(runs,), name="control", daemon=True).start()

    def worker_stopping(self) -> bool:
        """Return whether the runs are to be given back at a checkpoint."""
        return self._worker_stopping.is_set()

    def _listen(self, runs: Mapping[str, OrderedRun]) -> None:
        for line in self._orders:
            order = json.loads(line)
            for run, seq in order.get("stored", {}).items():
                runs[run].mark_stored(seq)
            if "cancel" in order:
                runs[order["cancel"]].cancel()
            elif "give_up" in order:
                runs[order["give_up"]].give_up()
            elif "leave" in order:
                self._worker_stopping.set()
                for one in runs.values():
                    one.end_soon()
        os._exit(1)  # without its slot the run may be given to another one at any moment

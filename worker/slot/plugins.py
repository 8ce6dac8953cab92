"""The plug-ins of a slot: checked in a process of their own when the slot starts, then reported.

This module imports none of them, and no torch.
"""

import contextlib
import json
import logging
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from pydantic import ValidationError

from contract.comparison.plugins import MAX_PLUGINS, PluginEntry
from worker.api.client import Claim, SlotApi
from worker.api.plugin_ref import PluginRef
from worker.errors import ApiUnavailableError
from worker.processes.parent import PARENT_VARIABLE
from worker.settings import Settings

LIMIT_S: Final = 60.0
"""Longest time that the import and the check of one plug-in may take."""
START_S: Final = 120.0
"""Longest time until the check begins with the first one: it imports torch."""
RETRY_S: Final = 5.0
"""Before the next try to report, while the API is away."""
MAX_ANSWER: Final = 1_000_000
"""Bytes of one answer."""
SECRETS: Final = ("LOSSBOARD_WORKER_TOKEN", "REDIS_URL", "LOSSBOARD_API_URL")
"""Variables that the check does not need."""

log = logging.getLogger(__name__)


@dataclass
class Found:
    """What a check has found."""

    entries: list[PluginEntry] = field(default_factory=list)
    refs: dict[str, PluginRef] = field(default_factory=dict)
    """Digest of each plug-in that can be used -> where it lies."""

    def add(self, entry: PluginEntry, ref: PluginRef | None) -> None:
        """Add one, unless it has the name of another."""
        if len(self.entries) == MAX_PLUGINS:
            log.warning("more than %d plug-ins: %s is left out", MAX_PLUGINS, entry.name)
            return
        if entry.usable and any(one.name == entry.name and one.usable for one in self.entries):
            other = next(one for one in self.entries if one.name == entry.name)
            problem = f"{other.source} has a loss of this name too; rename one of them"
            entry = entry.model_copy(
                update={"problem": problem, "name": f"{entry.name} ({entry.source})"[:100]}
            )
        self.entries.append(entry)
        if entry.usable and ref is not None:
            self.refs[ref.digest] = ref


class Check:
    """Runs the check in child processes: a new one after a plug-in that hung or ended it."""

    def __init__(
        self,
        losses: Sequence[str],
        *,
        limit_s: float = LIMIT_S,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        """Args:
        losses: the sources, as LOSSBOARD_LOSSES names them.
        limit_s: longest time for one plug-in.
        environ: of the children, without secrets.
        """
        self._losses = list(losses)
        self._limit_s = limit_s
        self._environ = {key: one for key, one in environ.items() if key not in SECRETS}
        self._stopped = threading.Event()

    def stop(self) -> None:
        """End it soon; another thread may call this."""
        self._stopped.set()

    def run(self) -> Found:
        """Check everything; call it from a thread that lives as long as the check."""
        found, done = Found(), list[str]()
        while not self._stopped.is_set():
            child = _Child(self._losses, done, self._environ)
            try:
                under_way = self._follow(child, found, done)
            finally:
                said = child.end()
            if under_way is None:
                break
            if not under_way:
                nothing = _Place("", "LOSSBOARD_LOSSES", "the check of plug-ins")
                found.add(
                    _without(nothing, f"it could not begin; it {child.problem}: {said}"), None
                )
                break
            done.append(under_way.name)
            problem = f"its check {child.problem}"
            found.add(_without(under_way, f"{problem}: {said}" if said else problem), None)
        return found

    def _follow(self, child: "_Child", found: Found, done: list[str]) -> "_Place | None":
        """Take a child's answers; return what was under way when it hung or ended, None if it has
        checked everything, and an empty place if it had not begun."""
        place, until = _Place("", "", ""), time.monotonic() + START_S
        while not self._stopped.is_set():
            answer = child.answer(until)
            if answer is None:
                return place
            if "end" in answer:
                return None
            if "begin" in answer:
                place = _Place(answer["begin"], answer["source"], answer["where"])
                until = time.monotonic() + self._limit_s
                continue
            for one in answer["found"]:
                ref = None if one["ref"] is None else PluginRef.model_validate(one["ref"])
                found.add(PluginEntry.model_validate(one["entry"]), ref)
            done.append(answer["done"])
        return None


@dataclass(frozen=True)
class _Place:
    name: str
    source: str
    where: str

    def __bool__(self) -> bool:
        return bool(self.name)


def _without(place: _Place, problem: str) -> PluginEntry:
    prefix = "pml." if place.source == "pml" else ""
    name = f"{prefix}{place.where}"[-100:]
    return PluginEntry(name=name, label=name, source=place.source, problem=problem[:2000])


class _Child:
    """One process that checks plug-ins.

    Attributes:
        problem: how it ended, where it gave no answer.
    """

    def __init__(
        self, losses: Sequence[str], done: Sequence[str], environ: Mapping[str, str]
    ) -> None:
        self.problem = ""
        self._popen = subprocess.Popen(
            [sys.executable, "-m", "worker.plugins"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**environ, PARENT_VARIABLE: str(os.getpid()), "CUDA_VISIBLE_DEVICES": ""},
            start_new_session=True,
        )
        self._read = b""
        self._said = b""
        assert self._popen.stdin is not None, "it is a pipe"
        question = json.dumps({"losses": list(losses), "done": list(done)})
        with contextlib.suppress(BrokenPipeError):
            self._popen.stdin.write(question.encode() + b"\n")
            self._popen.stdin.flush()

    def answer(self, until: float) -> dict[str, Any] | None:
        """Return the next answer; None if none came until that time, or the process has ended."""
        out, err = self._popen.stdout, self._popen.stderr
        assert out is not None, "it is a pipe"
        assert err is not None, "it is a pipe"
        news = select.poll()
        open_pipes = {out.fileno(), err.fileno()}
        for pipe in open_pipes:
            news.register(pipe, select.POLLIN)
        while b"\n" not in self._read:
            left = until - time.monotonic()
            if left <= 0:
                self.problem = "took too long and was ended"
                return None
            for pipe, _ in news.poll(1000 * min(left, 0.5)):
                some = os.read(pipe, 2**16)
                if not some:
                    news.unregister(pipe)
                    open_pipes.discard(pipe)
                elif pipe == out.fileno():
                    self._read += some
                else:
                    self._said = (self._said + some)[-4000:]
            if len(self._read) > MAX_ANSWER:
                self.problem = f"gave more than {MAX_ANSWER:,} bytes"
                return None
            if out.fileno() not in open_pipes and b"\n" not in self._read:
                self.problem = f"ended its process ({self._exit()})"
                return None
        line, _, self._read = self._read.partition(b"\n")
        return self._parsed(line)

    def end(self) -> str:
        """End it with all that it has started; return the last line that it printed."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._popen.pid, signal.SIGKILL)
        self._popen.wait()
        for pipe in (self._popen.stdin, self._popen.stdout, self._popen.stderr):
            assert pipe is not None, "it is a pipe"
            with contextlib.suppress(BrokenPipeError):
                pipe.close()
        lines = self._said.decode(errors="replace").strip().splitlines()
        return lines[-1][:300] if lines else ""

    def _exit(self) -> str:
        try:
            code = self._popen.wait(timeout=1)
        except subprocess.TimeoutExpired:
            return "it has closed its streams"
        return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"

    def _parsed(self, line: bytes) -> dict[str, Any] | None:
        """Return an answer; None for one that is none, as of a plug-in that writes into it."""
        try:
            read = json.loads(line)
            for one in read.get("found", ()):
                PluginEntry.model_validate(one["entry"])
        except (ValueError, ValidationError, AttributeError, KeyError, TypeError) as error:
            self.problem = f"gave an answer that is none: {error!r:.200}"
            return None
        return dict(read)


class SlotPlugins:
    """What a slot offers, and a thread that finds it out and reports it."""

    def __init__(self, settings: Settings, *, limit_s: float = LIMIT_S) -> None:
        """Args:
        settings: of the slot.
        limit_s: longest time for the check of one plug-in.
        """
        self._settings = settings
        self._check = Check(settings.losses, limit_s=limit_s)
        self._refs: dict[str, PluginRef] = {}
        self._stopped = threading.Event()
        self.ready = threading.Event()
        """Set once everything is checked and reported."""
        self._thread = threading.Thread(target=self._run, name="plugins", daemon=True)

    def open(self) -> None:
        """Begin the check; without a setting there is nothing to offer."""
        if self._settings.losses:
            self._thread.start()
        else:
            self.ready.set()

    def digests(self) -> list[str]:
        """Return the digests of the plug-ins that runs of this slot may have."""
        return list(self._refs)

    def located(self, claim: Claim) -> Claim:
        """Return a claim that says where its plug-in lies, if it needs one."""
        ref = self._refs.get(claim.loss_digest or "")
        return claim if ref is None else claim.model_copy(update={"plugin": ref})

    def close(self) -> None:
        """End the check, where it is still on."""
        self._stopped.set()
        self._check.stop()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        found = self._check.run()
        for entry in found.entries:
            if not entry.usable:
                log.warning("the loss %s cannot be used: %s", entry.name, entry.problem)
        api = SlotApi(self._settings)
        entries = [entry.model_dump(mode="json") for entry in found.entries]
        while not self._stopped.is_set():
            try:
                api.report_plugins(entries)
            except ApiUnavailableError as error:
                log.info("plug-ins are reported once the API answers: %s", error)
                self._stopped.wait(RETRY_S)
                continue
            self._refs = found.refs
            self.ready.set()
            break
        api.close()

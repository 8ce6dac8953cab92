"""The child process in which a slot's plug-ins are imported and checked.

The slot writes one line to stdin, and reads lines from stdout: `begin` before each place, so that
it knows what was under way if this process hangs or ends, and what was found there after it. The
slot's side is in `worker.slot.plugins`.
"""

import json
import os
import sys
import warnings
from collections.abc import Mapping
from typing import Any, BinaryIO, Final

import torch

from contract.comparison.plugins import PluginEntry
from worker.plugins.checks import check, said
from worker.plugins.sources import Place, load, places
from worker.processes.memory_limit import limit_memory
from worker.processes.parent import die_with_parent, name_process
from worker.processes.priority import TRAINER_NICENESS, lower_priority

MEMORY: Final = 2 * 10**9
"""Bytes that the check of plug-ins may take."""


def main() -> None:
    """Check what the slot asks for, one after the other."""
    die_with_parent()
    name_process("lb-plugins")
    lower_priority(TRAINER_NICENESS)
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb", buffering=0)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what plug-ins print goes to the log
    asked = json.loads(sys.stdin.buffer.readline())
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    limit_memory(MEMORY)
    done = set(asked["done"])
    for place in places(tuple(asked["losses"])):
        name = f"{place.source} {place.where}"
        if name in done:
            continue
        _send(answers, {"begin": name, "where": place.where, "source": place.source})
        _send(answers, {"found": _found(place), "done": name})
    _send(answers, {"end": True})


def _found(place: Place) -> list[Mapping[str, Any]]:
    """Return what a place has: an entry for each plug-in, and where it lies."""
    try:
        candidates = load(place)
    except Exception as error:  # noqa: BLE001 - a plug-in may raise anything
        return [{"entry": unusable(place.source, place.where, said(error)), "ref": None}]
    return [
        {"entry": check(one).model_dump(mode="json"), "ref": one.ref.model_dump(mode="json")}
        for one in candidates
    ]


def unusable(source: str, where: str, problem: str) -> dict[str, Any]:
    """Return the entry of a place that has no plug-in."""
    prefix = "pml." if source == "pml" and where != "pml" else ""
    name = f"{prefix}{where}"[-100:]
    entry = PluginEntry(name=name, label=name, source=source, problem=problem[:2000])
    return entry.model_dump(mode="json")


def _send(answers: BinaryIO, message: Mapping[str, Any]) -> None:
    answers.write(json.dumps(message).encode() + b"\n")


if __name__ == "__main__":
    main()

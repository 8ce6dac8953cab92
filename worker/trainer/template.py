"""The template of a slot's trainers: it imports everything, warms up, and forks a trainer at each
order.

A forked process has only the thread that forked, so a lock or a pool of threads that others held or
served is broken in it for good. So the template has one thread and opens no connection, it never
starts CUDA, and whatever is not ours is imported by trainers only. `worker.slot.forked_trainer` is
the slot's side and tells how both talk.
"""

import contextlib
import gc
import importlib
import json
import logging
import os
import select
import signal
import socket
import sys
import threading
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, NoReturn

import numpy as np
import torch

from worker.processes.parent import die_with_parent, name_process
from worker.processes.priority import (
    TRAINER_NICENESS,
    lower_priority,
    lower_session_priority,
)
from worker.settings import Settings
from worker.slot.forked_trainer import FORK, UNFIT
from worker.slot.pipes import TRAINER_NAME, SlotPipes
from worker.trainer.process import set_up, train, use_threads, warm_up

OWN_THREADS: Final = Path("/proc/self/task")
SLOW_IMPORT: Final = "torch._dynamo"
"""Imported by torch's optimisers when they are first used."""

log = logging.getLogger(__name__)


def main(orders: int) -> int:
    """Warm up and fork trainers until the slot has ended.

    Args:
        orders: file descriptor of the socket on which the orders come.

    Returns:
        The exit code: 0, or UNFIT if this process must not be forked.
    """
    pipes = SlotPipes.of_this_process()
    settings = set_up()
    lower_priority(TRAINER_NICENESS)
    use_threads(1)
    if settings.device == "cuda":
        # Without a step on the CPU: torch would count the GPUs for it, which starts CUDA.
        importlib.import_module(SLOW_IMPORT)
    else:
        os.environ["CUDA_VISIBLE_DEVICES"] = ""  # for each GPU that it sees torch starts a thread
        warm_up()
    if (unfit := _why_unfit()) is not None:
        log.warning("%s", unfit)
        return UNFIT
    gc.collect()
    gc.freeze()  # a collection in a trainer would write to, and so copy, all that they share

    with socket.socket(fileno=orders) as connection:
        template = Template(connection, lambda: _run_trainer(settings, pipes))
        pipes.send(ready=True)
        template.serve()
    return 0


def _why_unfit() -> str | None:
    """Return why this process must not be forked; None if it may."""
    if (threads := len(list(OWN_THREADS.iterdir()))) > 1:
        return f"the template of the trainers has {threads} threads; forked trainers could hang"
    child = os.fork()
    if not child:
        os._exit(torch.cuda._is_in_bad_fork())
    if os.waitpid(child, 0)[1]:
        return "the template of the trainers has started CUDA; forked trainers could not use it"
    return None


class Template:
    """Takes the slot's orders, and reports the trainers' process ids and exit codes."""

    def __init__(self, orders: socket.socket, run_trainer: Callable[[], int]) -> None:
        """Args:
        orders: the socket on which they come; its end is the slot's.
        run_trainer: is called in each trainer, whose streams are set up; returns its exit code.
        """
        self._orders = orders
        self._run_trainer = run_trainer
        self._reports: dict[int, int] = {}
        """Process id of each living trainer -> the descriptor for reports on it."""
        self._woken, self._wake = os.pipe()
        os.set_blocking(self._woken, False)
        os.set_blocking(self._wake, False)

    def serve(self) -> None:
        """Fork a trainer at each order, until the slot has ended."""
        signal.signal(signal.SIGCHLD, lambda *_: None)  # so that it wakes us; see _reap
        signal.set_wakeup_fd(self._wake, warn_on_full_buffer=False)
        news = select.poll()
        news.register(self._orders, select.POLLIN)
        news.register(self._woken, select.POLLIN)
        while True:
            ready = {descriptor for descriptor, _ in news.poll()}
            if self._woken in ready:
                self._reap()
            if self._orders.fileno() in ready and not self._take_order():
                return

    def _take_order(self) -> bool:
        """Fork a trainer; return False if the slot has ended."""
        order, descriptors, *_ = socket.recv_fds(
            self._orders, len(FORK), 4, socket.MSG_CMSG_CLOEXEC
        )
        if not order:
            return False
        *streams, reports = descriptors
        if _nobody_reads(reports):  # the slot needs no trainer any more
            _close(descriptors)
            return True
        sys.stderr.flush()
        template = os.getpid()
        try:
            trainer = os.fork()
        except OSError as error:
            _write(streams[2], f"no trainer could be forked: {error}\n".encode())
            _report(reports, exit=1)
            _close(descriptors)
            return True
        if not trainer:
            self._become_trainer(template, streams, reports)
        self._reports[trainer] = reports
        _report(reports, pid=trainer)
        _close(streams)
        return True

    def _become_trainer(self, template: int, streams: Sequence[int], reports: int) -> NoReturn:
        """Run the trainer in this new process, and exit."""
        code = 1
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            os.setsid()
            die_with_parent(template)
            name_process(TRAINER_NAME)
            for standard, stream in enumerate(streams):
                os.dup2(stream, standard)
            _close([*streams, reports, *self._reports.values(), self._woken, self._wake])
            self._orders.close()
            code = self._run_trainer()
        except BaseException:  # noqa: BLE001 - as the interpreter would
            traceback.print_exc()
        finally:
            logging.shutdown()
            sys.stderr.flush()
            os._exit(code)

    def _reap(self) -> None:
        """Report the exit code of each trainer that has ended."""
        with contextlib.suppress(BlockingIOError):
            os.read(self._woken, select.PIPE_BUF)
        while self._reports:
            trainer, status = os.waitpid(-1, os.WNOHANG)
            if not trainer:
                return
            reports = self._reports.pop(trainer)
            _report(reports, exit=os.waitstatus_to_exitcode(status))
            _close([reports])


def _run_trainer(settings: Settings, pipes: SlotPipes) -> int:
    """Do in a forked trainer what a trainer that is started anew does, and return its exit code."""
    pipes.close()
    own_pipes = SlotPipes.of_this_process()
    # In a thread, because the kernel may let it wait while others do the same.
    threading.Thread(target=lower_session_priority, args=(TRAINER_NICENESS,), daemon=True).start()
    np.random.seed()  # anew, as Python does by itself; torch is seeded for each run
    use_threads(settings.torch_threads)
    return train(own_pipes, settings)


def _nobody_reads(pipe: int) -> bool:
    look = select.poll()
    look.register(pipe, 0)
    return bool(look.poll(0))


def _report(reports: int, **facts: int) -> None:
    _write(reports, json.dumps(facts).encode() + b"\n")


def _write(pipe: int, line: bytes) -> None:
    with contextlib.suppress(BrokenPipeError):  # the slot has given the trainer up
        os.write(pipe, line)


def _close(descriptors: Sequence[int]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)

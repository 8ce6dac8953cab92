"""Trainers forked from a template: real processes, and nothing is left of any of them."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import psutil
import pytest

from tests.support.slot import ROOT, worker_environment
from tests.support.trainers import process_of, warm
from tests.support.waiting import still_alive, until
from worker.slot.forked_trainer import TemplateProcess
from worker.slot.pipes import TEMPLATE_NAME, TRAINER_NAME
from worker.slot.trainer_process import TrainerProcess

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has templates")

ENVIRONMENT = worker_environment("redis://127.0.0.1:1/0", "http://127.0.0.1:1")
SLOT = """
import sys, time
from worker.slot.forked_trainer import TemplateProcess
template = TemplateProcess.start()
trainer = template.fork()
while trainer.pid is None:
    assert trainer.exit_code is None, trainer.describe_end()
    time.sleep(0.01)
print(template.pid, trainer.pid, flush=True)
time.sleep(600)
"""
"""A process that starts a template and one trainer, as a slot does."""
THAT_CANNOT_FORK = """
import os, sys
from worker.trainer import template
def fork():
    raise BlockingIOError(11, "Resource temporarily unavailable")
template.warm_up = lambda: None
template._why_unfit = lambda: None
os.fork = fork
sys.exit(template.main(int(sys.argv[2])))
"""
"""A template on a machine that has no room for another process."""


@pytest.fixture(scope="module")
def template() -> Iterator[TemplateProcess]:
    """A warm template, for all tests that leave it alive."""
    started = TemplateProcess.start(ENVIRONMENT)
    yield warm(started)
    started.stop()
    assert started.exit_code is not None


def end_of_stdin(trainer: TrainerProcess) -> int | None:
    """Close the trainer's stdin, as the end of its slot does; return its exit code."""
    until(trainer.warm.is_set, "a warm trainer")
    stdin = trainer._process.stdin
    assert stdin is not None
    stdin.close()
    assert trainer.wait(60)
    trainer.stop()
    return trainer.exit_code


def test_it_leads_its_own_session_and_its_template_reports_its_end(
    template: TemplateProcess,
) -> None:
    trainer = template.fork()
    assert trainer.is_warm
    process = process_of(trainer)
    until(trainer.warm.is_set, "a warm trainer")
    assert (process.name(), process.ppid()) == (TRAINER_NAME, template.pid)
    assert psutil.Process(template.pid).name() == TEMPLATE_NAME
    assert os.getsid(process.pid) == process.pid != os.getsid(template.pid)
    assert not trainer.wait(0)
    process.terminate()
    assert trainer.wait(60)
    trainer.send({"cancel": True})  # it has ended: nothing happens
    assert trainer.exit_code == -signal.SIGTERM
    assert not trainer.ended_with_template
    assert "killed by SIGTERM" in trainer.describe_end()


def test_trainers_one_after_another_leave_no_zombie_and_no_open_file(
    template: TemplateProcess,
) -> None:
    processes = [psutil.Process(), psutil.Process(template.pid)]

    def open_files() -> list[int]:
        return [process.num_fds() for process in processes]

    assert end_of_stdin(template.fork()) == 0
    before = open_files()
    for _ in range(20):
        assert end_of_stdin(template.fork()) == 0

    def as_before() -> bool:
        """The template closes its last pipe after it has reported the exit code."""
        return all(now <= then for now, then in zip(open_files(), before, strict=True))

    until(as_before, "all files to be closed", timeout=5)
    assert processes[1].children() == []
    assert processes[1].num_threads() == 1


def test_a_trainer_holds_no_pipe_of_another(template: TemplateProcess) -> None:
    first, second = template.fork(), template.fork()
    until(second.warm.is_set, "a warm trainer")
    assert end_of_stdin(first) == 0, "the second one has no end of its stdin"
    assert end_of_stdin(second) == 0


def test_kill_9_of_a_trainer_leaves_its_template_and_others(template: TemplateProcess) -> None:
    first, second = template.fork(), template.fork()
    process_of(first).kill()
    assert first.wait(60)
    assert (first.exit_code, first.ended_with_template) == (-signal.SIGKILL, False)
    assert end_of_stdin(second) == 0
    first.stop()


@pytest.mark.slow
def test_a_trainer_ends_with_its_template_and_is_not_to_blame() -> None:
    template = warm(TemplateProcess.start(ENVIRONMENT))
    trainer = template.fork()
    process = process_of(trainer)
    os.kill(template.pid, signal.SIGKILL)
    assert trainer.wait(60)
    assert still_alive([process], timeout=5) == []
    assert trainer.ended_with_template
    late = template.fork()
    assert late.wait(60)
    assert late.ended_with_template
    for one in (trainer, late, template):
        one.stop()


@pytest.mark.slow
def test_a_template_that_cannot_start_says_why() -> None:
    template = TemplateProcess.start({**ENVIRONMENT, "LOSSBOARD_DEVICE": "tpu"})
    trainer = template.fork()
    assert trainer.wait(60)
    assert not trainer.ended_with_template, "as a trainer that cannot start: it would never end"
    description = trainer.describe_end()
    assert "exit code 1" in description
    assert "LOSSBOARD_DEVICE is 'tpu'" in description
    template.stop()


@pytest.mark.slow
def test_a_template_that_cannot_fork_says_why_and_goes_on() -> None:
    template = TemplateProcess.start(ENVIRONMENT, ("-c", THAT_CANNOT_FORK))
    for _ in range(2):
        trainer = template.fork()
        assert trainer.wait(60)
        assert (trainer.exit_code, trainer.ended_with_template) == (1, False)
        description = trainer.describe_end()
        assert "no trainer could be forked: [Errno 11] Resource temporarily" in description
    assert template.exit_code is None
    template.stop()


def test_a_trainer_that_waits_for_its_template_can_be_stopped() -> None:
    template = TemplateProcess.start(ENVIRONMENT)
    os.kill(template.pid, signal.SIGSTOP)
    trainer = template.fork()
    assert (trainer.pid, trainer.is_warm) == (None, False)
    assert not trainer.wait(0.01)
    trainer.stop()
    assert trainer.exit_code == -signal.SIGKILL
    assert template.exit_code is not None


@pytest.mark.slow
def test_kill_9_of_the_slot_ends_template_and_trainer() -> None:
    slot = subprocess.Popen(
        [sys.executable, "-c", SLOT], cwd=ROOT, env=ENVIRONMENT, stdout=subprocess.PIPE
    )
    assert slot.stdout is not None
    below = [psutil.Process(int(pid)) for pid in slot.stdout.readline().split()]
    assert len(below) == 2
    slot.kill()
    slot.wait()
    assert still_alive(below, timeout=5) == []
    slot.stdout.close()

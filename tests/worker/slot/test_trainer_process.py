"""A trainer process: how it warms up, and that it never outlives the process that started it."""

import os
import signal
import subprocess
import sys

import psutil
import pytest

from tests.support.slot import ROOT, worker_environment
from tests.support.trainers import process_of
from tests.support.waiting import until
from worker.slot.trainer_process import TrainerProcess

ENVIRONMENT = worker_environment("redis://127.0.0.1:1/0", "http://127.0.0.1:1")


@pytest.mark.slow
def test_it_reports_that_it_is_warm_and_leads_its_own_session() -> None:
    trainer = TrainerProcess.start(ENVIRONMENT)
    until(trainer.warm.is_set, "a warm trainer")
    process = process_of(trainer)
    assert os.getsid(process.pid) == process.pid
    process.terminate()
    assert trainer.wait(60)
    trainer.send({"cancel": True})  # it has ended: nothing happens
    trainer.stop()
    assert trainer.exit_code == -signal.SIGTERM


@pytest.mark.slow
def test_the_description_of_its_end_has_the_exit_code_and_the_last_lines() -> None:
    trainer = TrainerProcess.start({**ENVIRONMENT, "LOSSBOARD_DEVICE": "tpu"})
    assert trainer.wait(60)
    description = trainer.describe_end()
    assert "exit code 1" in description
    assert "LOSSBOARD_DEVICE is 'tpu'" in description


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the end of stdin ends it")
def test_it_dies_with_its_parent_though_its_stdin_stays_open() -> None:
    parent = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import subprocess, sys, time;"
            "child = subprocess.Popen([sys.executable, '-m', 'worker.trainer'], stdin=0);"
            "time.sleep(60)",
        ],
        cwd=ROOT,
        env=ENVIRONMENT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert parent.stdout is not None
    assert b"ready" in parent.stdout.readline()
    [trainer] = psutil.Process(parent.pid).children()
    parent.kill()
    parent.wait()
    until(lambda: not trainer.is_running(), "the trainer's end", timeout=5)
    assert parent.stdin is not None
    parent.stdin.close()
    parent.stdout.close()


@pytest.mark.slow
def test_the_end_of_stdin_ends_an_idle_trainer() -> None:
    trainer = subprocess.Popen(
        [sys.executable, "-m", "worker.trainer"],
        cwd=ROOT,
        env=ENVIRONMENT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    out, _ = trainer.communicate(timeout=90)
    assert b"ready" in out
    assert trainer.returncode == 0


def test_a_slot_never_waits_for_a_trainer_that_reads_nothing() -> None:
    pipe = subprocess.PIPE
    command = [sys.executable, "-c", "import time; time.sleep(600)"]
    popen = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True)
    trainer = TrainerProcess(popen)
    for seq in range(20_000):  # more bytes than a pipe holds
        trainer.send({"committed_seq": seq})
    trainer.stop()
    assert trainer.exit_code == -signal.SIGTERM

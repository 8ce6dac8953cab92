"""When the silence of a trainer counts as a hang, on a clock of our own."""

from dataclasses import dataclass

import pytest

from worker.reporting.signs_of_life import STEP, Sign
from worker.slot.silence import FLOOR_S, LONG_CALLS, MAX_TICK_S, Silence

LIMIT_S = 600.0
FAST_STEP = Sign(work=STEP, step=120, usual_s=0.2)


@dataclass
class Trainer:
    """Its signs come when a test says so."""

    signs: int = 0
    last_sign: Sign | None = None
    is_warm: bool = True
    now: float = 0.0

    def clock(self) -> float:
        return self.now

    def sign(self, sign: Sign) -> None:
        self.signs += 1
        self.last_sign = sign


def silence_until_hang(trainer: Trainer, silent: Silence) -> tuple[float, str]:
    """Return after how many seconds of silence it counts as a hang, and the words."""
    assert silent.hang() is None  # it looks at the last sign
    began = trainer.now
    while (hang := silent.hang()) is None:
        trainer.now += 0.5
        assert trainer.now < began + 10_000
    return trainer.now - began, hang


@pytest.mark.parametrize(
    ("sign", "allowed", "words"),
    [
        (FAST_STEP, FLOOR_S, " since step 120; its steps took at most 0.2 s"),
        (Sign(work=STEP, step=9, usual_s=12), 240, " since step 9; its steps took at most 12 s"),
        (
            Sign(work=STEP, step=9, usual_s=100),
            LIMIT_S,
            " since step 9; its steps took at most 100 s",
        ),
        (Sign(work=STEP, step=1), LIMIT_S, " since step 1"),
        (Sign(work="reading x.npz"), LIMIT_S, ", at this work: reading x.npz"),
        (
            Sign(work="evaluation", step=64, usual_s=1),
            FLOOR_S,
            " since step 64, at this work: evaluation; it never took longer than 1 s",
        ),
        (
            Sign(work="evaluation", step=64, usual_s=1, long=True),
            LONG_CALLS * LIMIT_S,
            " since step 64, at this work: evaluation; it never took longer than 1 s",
        ),
        (None, FLOOR_S, " after it was given its run"),
    ],
)
def test_the_allowed_silence_follows_from_the_pace(
    sign: Sign | None, allowed: float, words: str
) -> None:
    trainer = Trainer()
    silent = Silence(trainer, LIMIT_S, clock=trainer.clock)
    if sign is not None:
        trainer.sign(sign)
    took, hang = silence_until_hang(trainer, silent)
    assert took == allowed
    assert hang == f"no sign of life from the trainer for {allowed:.0f} s{words}"


def test_a_trainer_that_imports_torch_has_the_limit() -> None:
    trainer = Trainer(is_warm=False)
    took, _ = silence_until_hang(trainer, Silence(trainer, LIMIT_S, clock=trainer.clock))
    assert took == LIMIT_S


def test_a_slow_trainer_that_gives_signs_never_hangs() -> None:
    trainer = Trainer()
    silent = Silence(trainer, LIMIT_S, clock=trainer.clock)
    for _ in range(50):
        trainer.sign(Sign(work="evaluation", step=1, usual_s=0.1))
        for _ in range(59):
            assert silent.hang() is None
            trainer.now += 1


def test_a_limit_below_the_floor_lowers_it_and_no_limit_allows_everything() -> None:
    trainer = Trainer()
    trainer.sign(FAST_STEP)
    assert silence_until_hang(trainer, Silence(trainer, 10, clock=trainer.clock))[0] == 10
    without = Silence(trainer, 0, clock=trainer.clock)
    for _ in range(1000):
        trainer.now += MAX_TICK_S
        assert without.hang() is None


def test_an_hour_in_which_the_whole_machine_was_suspended_does_not_count() -> None:
    trainer = Trainer()
    silent = Silence(trainer, LIMIT_S, clock=trainer.clock)
    trainer.sign(FAST_STEP)
    assert silent.hang() is None
    trainer.now += 3600
    assert silent.hang() is None  # it looks before the trainer could give a sign
    trainer.now += 1
    trainer.sign(FAST_STEP)
    assert silent.hang() is None

"""A clock whose seconds pass steadily, whatever the machine's clock does."""

from backend.http.times import MIN_JUMP_S, SteadyClock


class Machine:
    wall = 1_000_000.0
    monotonic = 50.0

    def clock(self) -> SteadyClock:
        return SteadyClock(lambda: self.wall, lambda: self.monotonic)

    def sleep(self, seconds: float) -> None:
        self.wall += seconds
        self.monotonic += seconds


def test_its_seconds_are_those_of_the_monotonic_clock() -> None:
    machine = Machine()
    clock = machine.clock()
    assert clock() == machine.wall
    machine.sleep(10)
    for hour in (3600, -7200):
        before = clock()
        machine.wall += hour
        assert clock() == before
        machine.sleep(5)
        assert clock() == before + 5


def test_it_tells_a_jump_and_follows_it() -> None:
    machine = Machine()
    clock = machine.clock()
    machine.wall += MIN_JUMP_S / 2
    assert clock.jump() == 0
    machine.wall += 3600
    assert clock.jump() == 3600 + MIN_JUMP_S / 2
    clock.follow(clock.jump())
    assert (clock.jump(), clock()) == (0, machine.wall)
    machine.wall -= 7200
    assert clock.jump() == -7200

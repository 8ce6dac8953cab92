"""The outbox: events stay in it until they are stored, and are sent again when they are not."""

from worker.reporting.outbox import MAX_RESEND_AFTER_S, RESEND_AFTER_S, Outbox


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def filled(count: int, clock: Clock | None = None, limit: int = 1000) -> Outbox:
    outbox = Outbox(limit_bytes=limit, clock=clock or Clock())
    for number in range(1, count + 1):
        assert outbox.next_seq == number
        outbox.put(b"event %d" % number)
    return outbox


def seqs(outbox: Outbox) -> list[int]:
    return [entry.seq for entry in outbox.unsent(100)]


def send_all(outbox: Outbox) -> None:
    outbox.mark_sent(outbox.unsent(100)[-1])


def test_events_leave_when_stored_not_when_sent() -> None:
    outbox = filled(4)
    send_all(outbox)
    assert seqs(outbox) == []
    outbox.mark_stored(2)
    outbox.resend_all()
    assert seqs(outbox) == [3, 4]


def test_a_part_sent_leaves_the_rest_unsent() -> None:
    outbox = filled(4)
    outbox.mark_sent(outbox.unsent(2)[-1])
    outbox.mark_stored(1)
    assert seqs(outbox) == [3, 4]
    outbox.mark_stored(99)
    assert outbox.wait_until_empty(0)


def test_events_stored_while_they_were_sent_are_not_counted_twice() -> None:
    outbox = filled(4)
    entries = outbox.unsent(3)
    outbox.mark_stored(2)  # an earlier copy had arrived
    outbox.mark_sent(entries[-1])
    assert seqs(outbox) == [4]


def test_without_newly_stored_events_all_is_sent_again_at_growing_intervals() -> None:
    clock = Clock()
    outbox = filled(2, clock)
    send_all(outbox)
    waits = []
    for _ in range(6):
        since = clock.now
        while not seqs(outbox):
            clock.now += 0.5
            outbox.mark_stored(0)
        waits.append(clock.now - since)
        send_all(outbox)
    assert waits[:3] == [RESEND_AFTER_S, 2 * RESEND_AFTER_S, 4 * RESEND_AFTER_S]
    assert waits[-1] == MAX_RESEND_AFTER_S
    outbox.mark_stored(1)
    clock.now += RESEND_AFTER_S
    outbox.mark_stored(1)
    assert seqs(outbox) == [2]


def test_without_word_from_the_backend_nothing_is_sent_again() -> None:
    clock = Clock()
    outbox = filled(2, clock)
    send_all(outbox)
    clock.now += 100
    assert seqs(outbox) == []


def test_it_is_full_until_enough_is_stored() -> None:
    outbox = filled(3, limit=10)
    assert outbox.full
    outbox.wait_for_room(0)
    assert outbox.full
    outbox.mark_stored(2)
    assert not outbox.full


def test_after_a_discard_nothing_is_left_and_nothing_is_taken() -> None:
    outbox = filled(3)
    sent = outbox.unsent(10)
    outbox.discard()
    outbox.mark_sent(sent[-1])  # it was under way
    outbox.put(b"x" * 2000)
    assert outbox.unsent(10) == []
    assert outbox.wait_until_empty(0)
    assert not outbox.full
    assert outbox.next_seq == 5

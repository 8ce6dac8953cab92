"""Downsampling keeps every spike, and later points do not move a bucket."""

from itertools import groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.metrics.downsampling import (
    ROLLUP_LEVEL,
    Bucket,
    buckets_of_points,
    extremes,
    finest_level,
    merge_buckets,
)

finite = st.floats(-1e6, 1e6)
curves = st.dictionaries(st.integers(0, 20_000), st.none() | finite, min_size=1, max_size=400)
Curve = dict[int, float | None]


def rollup(curve: Curve) -> list[Bucket]:
    steps = sorted(curve)
    return merge_buckets(buckets_of_points(steps, [curve[s] for s in steps]), ROLLUP_LEVEL)


def downsampled(curve: Curve, k: int) -> list[Bucket]:
    steps = sorted(curve)
    return merge_buckets(buckets_of_points(steps, [curve[s] for s in steps]), k)


@given(curves, st.integers(1, 300))
def test_at_most_the_limit_and_no_point_lost(curve: Curve, limit: int) -> None:
    buckets = downsampled(curve, finest_level(rollup(curve), limit))
    assert len(buckets) <= limit
    assert sum(bucket.n for bucket in buckets) == len(curve)
    assert sum(bucket.nulls for bucket in buckets) == sum(v is None for v in curve.values())


@given(curves, st.integers(1, 300))
def test_every_point_lies_in_its_bucket_between_min_and_max(curve: Curve, limit: int) -> None:
    k = finest_level(rollup(curve), limit)
    buckets = {bucket.at: bucket for bucket in downsampled(curve, k)}
    for step, value in curve.items():
        bucket = buckets[step >> k]
        if value is not None:
            assert bucket.low is not None
            assert bucket.high is not None
            assert bucket.low <= value <= bucket.high
    known = {value for value in curve.values() if value is not None}
    extremes_kept = {x for b in buckets.values() for x in (b.low, b.high) if x is not None}
    assert extremes_kept <= known  # and each is a value that was measured


@given(curves, curves, st.integers(1, 100))
def test_more_points_never_make_buckets_narrower(first: Curve, second: Curve, limit: int) -> None:
    assert finest_level(rollup(first), limit) <= finest_level(rollup({**second, **first}), limit)


@given(curves, curves, st.integers(0, 12))
def test_buckets_do_not_move_when_later_points_arrive(first: Curve, second: Curve, k: int) -> None:
    beyond = max(first) + 1
    later = {beyond + step: value for step, value in second.items()}
    before, after = downsampled(first, k), downsampled({**first, **later}, k)
    assert after[: len(before) - 1] == before[:-1]  # the last may have been incomplete
    assert after[len(before) - 1].at == before[-1].at


@given(curves, st.integers(0, 6), st.integers(0, 6))
def test_merging_in_two_steps_is_merging_in_one(curve: Curve, one: int, two: int) -> None:
    at_once, stepwise = downsampled(curve, one + two), merge_buckets(downsampled(curve, one), two)
    assert [b[:5] for b in at_once] == [b[:5] for b in stepwise]
    means = [(a.mean, b.mean) for a, b in zip(at_once, stepwise, strict=True)]
    assert all(a == b == None or a == pytest.approx(b) for a, b in means)  # noqa: E711


@given(curves)
def test_a_bucket_has_the_statistics_of_its_points(curve: Curve) -> None:
    for at, steps in groupby(sorted(curve), key=lambda step: step >> 3):
        values = [v for v in (curve[s] for s in steps) if v is not None]
        [bucket] = [b for b in downsampled(curve, 3) if b.at == at]
        assert bucket.low == min(values, default=None)
        assert bucket.high == max(values, default=None)
        expected = pytest.approx(sum(values) / len(values), abs=1e-6) if values else None
        assert bucket.mean == expected


@given(st.lists(st.none() | finite, min_size=1))
def test_extremes_are_the_lowest_the_highest_and_the_last_in_order(
    values: list[float | None],
) -> None:
    steps, kept = extremes(range(len(values)), values)
    assert 1 <= len(steps) <= 3
    assert steps == sorted(set(steps))
    assert steps[-1] == len(values) - 1
    assert kept == [values[step] for step in steps]
    known = [v for v in values if v is not None]
    assert set(kept) == {values[-1], *([min(known), max(known)] if known else [])}


def test_a_sparse_and_a_dense_part_are_both_kept() -> None:
    curve: Curve = {10**9: 5.0, **dict.fromkeys(range(1000), 1.0)}
    buckets = downsampled(curve, finest_level(rollup(curve), 20))
    assert buckets[-1].high == 5.0
    assert len(buckets) >= 5  # the single far point did not join the dense part into one bucket

import sys
from pathlib import Path

import torch

from benchmarks.loss_batch import make_batch
from benchmarks.loss_peer import LossPeer
from benchmarks.loss_ways import OURS, WAYS
from benchmarks.losses import CASES, measured
from benchmarks.peers.environment import MISSING


def test_a_peer_that_cannot_be_asked_says_why(tmp_path: Path) -> None:
    with LossPeer(tmp_path, tmp_path / "python") as nowhere:
        assert nowhere.missing == MISSING
    # This process' own environment has no sentence-transformers.
    with LossPeer(tmp_path, Path(sys.executable)) as alone:
        assert (alone.missing, alone.version) == ("its process ended", "")


def test_a_batch_has_as_many_items_of_a_class_as_were_asked_for() -> None:
    _, labels = make_batch(23, 10)
    assert torch.bincount(labels).tolist() == [10, 10, 3]


def test_every_way_of_a_case_is_measured_and_held_against_ours() -> None:
    for kind in WAYS:
        [case] = [one for one in CASES if one == (kind, 64, 4)]
        took = measured(case, WAYS[kind], milliseconds=1)
        assert took.keys() == WAYS[kind].keys()
        assert len(took[OURS]) >= 3
        assert all(one > 0 for own in took.values() for one in own)

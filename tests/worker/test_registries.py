"""Whatever the catalogue offers, the worker can do; and nothing else."""

from contract import catalogue
from contract.data import DigitsData, SyntheticData
from contract.encoder import ConvnetEncoder, MlpEncoder
from contract.loss import ContrastiveLoss, TripletLoss
from worker import data, encoders, losses
from worker.data.registry import DATA
from worker.encoders.registry import ENCODERS
from worker.losses.registry import LOSSES


def test_losses() -> None:
    assert list(LOSSES) == [row.kind for row in catalogue.LOSSES]
    assert len(LOSSES) == 2
    for row in catalogue.LOSSES:
        assert isinstance(losses.build({"kind": row.kind}), LOSSES[row.kind])
        spec = row.section()
        assert isinstance(spec, ContrastiveLoss | TripletLoss)
        assert isinstance(losses.build(spec, classes=10, dim=64), LOSSES[row.kind])


def test_data() -> None:
    assert set(DATA) == {row.kind for row in catalogue.DATA}
    assert len(DATA) == len(catalogue.DATA) == 2
    for row in catalogue.DATA:
        spec = row.section()
        assert isinstance(spec, DigitsData | SyntheticData)
        assert data.load(spec).classes == 10


def test_encoders() -> None:
    assert set(ENCODERS) == {row.kind for row in catalogue.ENCODERS}
    assert len(ENCODERS) == len(catalogue.ENCODERS) == 2
    for row in catalogue.ENCODERS:
        spec = row.section()
        assert isinstance(spec, MlpEncoder | ConvnetEncoder)
        assert encoders.build(spec, (1, 8, 8))

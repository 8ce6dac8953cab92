"""Which function loads which kind of data."""

from typing import Any, Final

from contract.data import DigitsData, SyntheticData
from worker.data import digits, synthetic
from worker.data.dataset import Dataset

DATA: Final[dict[str, Any]] = {
    "digits": digits.load,
    "synthetic": synthetic.load,
}


def load(spec: DigitsData | SyntheticData) -> Dataset:
    """The data set of a spec, the same for the same spec."""
    dataset: Dataset = DATA[spec.kind](spec)
    return dataset

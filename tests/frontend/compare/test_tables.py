"""Names of settings in the tables of chosen arms."""

import pytest

from frontend.compare.tables import setting_label


@pytest.mark.parametrize(
    ("path", "title", "label"),
    [
        ("loss.margin", "Margin", "Loss: margin"),
        ("training.optimizer.lr", "Learning rate", "Optimiser: learning rate"),
        ("training.optimizer.kind", "kind", "Optimiser"),
        ("visual_encoder.kind", "kind", "Visual encoder"),
        ("replicate", "What varies", "What varies"),
    ],
)
def test_settings_have_their_section_in_front(path: str, title: str, label: str) -> None:
    assert setting_label(path, title) == label

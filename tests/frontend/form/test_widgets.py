"""Widgets of the form's settings."""

from frontend.form.widgets import setting_labels


def test_settings_with_one_title_are_told_apart_by_their_section() -> None:
    titles = {
        "loss.margin": "Margin",
        "loss.lr": "Learning rate",
        "training.optimizer.lr": "Learning rate",
    }
    assert setting_labels(titles) == {
        "loss.margin": "Margin",
        "loss.lr": "Learning rate (loss)",
        "training.optimizer.lr": "Learning rate (training)",
    }

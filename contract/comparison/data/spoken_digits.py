"""Audio-visual pairs that anybody can have: a spoken digit and an image of that digit."""

from typing import Literal

from pydantic import Field

from contract.comparison.data.shared_settings import SPLIT_SEED, Seed
from contract.comparison.problems import Section


class SpokenDigitsData(Section):
    """Free Spoken Digit Dataset: recordings as log-mel spectrograms, each with an image of its
    digit; the fine label is the speaker."""

    kind: Literal["spoken_digits"] = "spoken_digits"
    images: Literal["mnist", "digits"] = Field(
        "mnist", title="Images", description="Where each recording's image comes from."
    )
    mel_bands: int = Field(64, ge=16, le=128, title="Mel bands")
    frames: int = Field(
        64, ge=16, le=512, title="Frames", description="Of 16 ms; longer recordings are cut."
    )
    seed: Seed = SPLIT_SEED

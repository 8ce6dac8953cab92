"""Ready-made specs: the first comparison, and the protocols of papers with reported figures."""

from typing import Final

from contract.catalogue.presets.first import DEMO, FIRST
from contract.catalogue.presets.others import OTHERS
from contract.catalogue.presets.preset import Preset
from contract.catalogue.presets.tuned import TUNED
from contract.catalogue.presets.zeng2025 import ZENG_2025

PRESETS: Final[tuple[Preset, ...]] = (*FIRST, *TUNED, *ZENG_2025, *OTHERS)

__all__ = ["DEMO", "PRESETS", "Preset"]

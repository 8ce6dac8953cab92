"""torchvision, importable beside any torch.

Take it with `from worker.torchvision_compat import torchvision`.

torchvision's wheel on PyPI is built for CUDA. Beside a CPU-only torch its compiled operators
cannot be loaded, and its import dies with "operator torchvision::nms does not exist", although
data sets, transforms and models need none of them. The operators it then asks for are declared
here, without code: calling one is still an error, importing is not.

The import takes about two seconds: only modules that need it may import this one.
"""

import importlib
import re
from collections.abc import Callable
from typing import Any, Final

import torch

MISSING: Final = re.compile(r"operator torchvision::(\w+) does not exist")
SCHEMA: Final = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
"""Of nms and qnms, the operators that the import asks for."""

_declared: Final = torch.library.Library("torchvision", "FRAGMENT")
"""Kept: its declarations end with it."""


def import_declaring(load: Callable[[], Any]) -> Any:
    """What `load` gives, once every operator it misses is declared.

    Raises:
        Exception: whatever `load` raises except the lack of an operator.
    """
    while True:
        try:
            return load()
        except RuntimeError as error:
            missing = MISSING.fullmatch(str(error))
            if missing is None:
                raise
            _declared.define(missing[1] + SCHEMA)  # a second time for one name is an error


torchvision: Final = import_declaring(lambda: importlib.import_module("torchvision"))

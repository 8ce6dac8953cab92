"""torchvision, importable with any build of torch.

Import it as `from worker.torchvision_compat import torchvision`.

torchvision's wheel on PyPI is built for CUDA. With a CPU-only torch its compiled operators cannot
be loaded, and its import fails with "operator torchvision::nms does not exist", although data sets,
transforms and models need none of them. The operators that the import asks for are declared here,
without code: calling one is still an error, importing is not.

The import takes about two seconds, so only modules that need torchvision may import this one; that
is why it is a separate module.
"""

import importlib
import re
from collections.abc import Callable
from typing import Any, Final

import torch

MISSING_OPERATOR: Final = re.compile(r"operator torchvision::(\w+) does not exist")
SCHEMA: Final = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
"""Of nms and qnms, the operators that the import asks for."""

_declared: Final = torch.library.Library("torchvision", "FRAGMENT")
"""Kept alive: its declarations end with it."""


def import_declaring_missing(load: Callable[[], Any]) -> Any:
    """Return what `load` returns, after declaring every operator that it misses.

    Raises:
        Exception: any error of `load` other than a missing operator.
    """
    while True:
        try:
            return load()
        except RuntimeError as error:
            missing = MISSING_OPERATOR.fullmatch(str(error))
            if missing is None:
                raise
            _declared.define(missing[1] + SCHEMA)  # a second time for one name is an error


torchvision: Final = import_declaring_missing(lambda: importlib.import_module("torchvision"))

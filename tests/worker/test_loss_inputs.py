"""What a loss refuses, and in which words."""

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor

from worker import losses
from worker.errors import InputError

KINDS = ("contrastive", "triplet")


@pytest.mark.parametrize(
    ("embeddings", "labels", "message"),
    [
        (torch.zeros(4), torch.zeros(4).long(), r"embeddings: .*\[B, D\].* \[4\]"),
        (torch.zeros(0, 4), torch.zeros(0).long(), r"embeddings: .*B >= 1.* \[0, 4\]"),
        (torch.zeros(4, 2).half(), torch.zeros(4).long(), r"embeddings: .*torch.float16"),
        (torch.zeros(4, 2), torch.zeros(3).long(), r"labels: .*\[4\].* \[3\]"),
        (torch.zeros(4, 2), torch.zeros(4, 1).long(), r"labels: .*\[4\].* \[4, 1\]"),
        (torch.zeros(4, 2), torch.zeros(4), r"labels: .*integers.* torch.float32"),
        (torch.zeros(4, 2), torch.zeros(4).bool(), r"labels: .*integers.* torch.bool"),
    ],
)
@pytest.mark.parametrize("kind", KINDS)
def test_input_errors_name_what_was_seen(
    kind: str, embeddings: Tensor, labels: Tensor, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        losses.build({"kind": kind})(embeddings, labels)


def test_build_refuses_what_the_contract_refuses() -> None:
    with pytest.raises(ValidationError, match="margin"):
        losses.build({"kind": "triplet", "margin": -1})
    with pytest.raises(ValidationError, match="kind"):
        losses.build({"kind": "quadruplet"})

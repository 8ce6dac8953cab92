"""sentence-transformers' triplet loss over all triplets, for benchmarks/losses.py.

Stays and answers: a line of JSON in, {"batch", "items", "repeats", "gradient"}, a line out, the
milliseconds of each repeat. The gradient is saved to the named file, if one is named.
"""

import json
import sys
from functools import partial
from importlib import metadata
from typing import Any

import torch
from sentence_transformers.sentence_transformer.losses.batch_all_triplet import BatchAllTripletLoss
from sentence_transformers.sentence_transformer.losses.batch_hard_triplet import (
    BatchHardTripletLossDistanceFunction,
)
from torch import Tensor

from benchmarks.loss_batch import call, make_batch

SQUARED = partial(BatchHardTripletLossDistanceFunction.euclidean_distance, squared=True)
LOSS = BatchAllTripletLoss(None, distance_metric=SQUARED, margin=1.0)
"""The loss itself takes embeddings, so no model is needed."""


def way(embeddings: Tensor, labels: Tensor) -> Tensor:
    """The mean over the active triplets."""
    value: Tensor = LOSS.batch_all_triplet_loss(labels, embeddings)
    return value


def main() -> None:
    """Answer until nothing more is asked."""
    torch.set_num_threads(1)
    call(way, *make_batch(16, 4))  # a first call is not like the others
    print(json.dumps({"version": metadata.version("sentence-transformers")}), flush=True)
    for line in sys.stdin:
        asked: dict[str, Any] = json.loads(line)
        batch = make_batch(asked["batch"], asked["items"])
        took = [call(way, *batch)[1] for _ in range(asked["repeats"])]
        if asked["gradient"]:
            torch.save(batch[0].grad, asked["gradient"])
        print(json.dumps(took), flush=True)


if __name__ == "__main__":
    main()

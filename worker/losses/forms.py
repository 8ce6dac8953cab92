"""In which form a loss over all pairs or triplets is computed: chosen by shape and device alone.

The forms give the same counts, and the same numbers up to rounding. Times are of one CPU thread
(AMD EPYC with AVX-512, torch 2.13, NumPy 2.4), embeddings of 128 dimensions.

- Small batches, B x M up to SMALL: a call consists of many short operations, and NumPy starts one
  in half of torch's time. Forward and backward at batch 128 took .55 ms instead of .75
  (contrastive) and .64 instead of .82 (triplet, 2 a class), and at 256 1.2 instead of 1.45 (the
  first) and 2.1 as before (the second).
- Blocks of rows: memory that is new to a process costs as much as several passes over it, so a
  large matrix is made once and overwritten, and what lies between is made for some rows at a time.
  At batch 1,024 the contrastive loss took 14 ms instead of 23.
- Triplets: an anchor's thresholds, one for each positive, are compared with all its candidates (0.2
  to 0.4 ns a comparison) while it has at most MOST_COMPARED positives or all fit one block. Beyond
  that they are looked up by rank in sorted rows, which takes 6 to 50 ns a candidate: little where
  nearly all triplets are active, so that the processor foresees each step, and most where distances
  are spread evenly. The first is equal to comparing at about 31 positives, the second at 200 or
  more; so no data make a batch slower than by ranks.
- On a GPU: whole matrices and ranks, for the largest class would have to be waited for.
"""

from collections.abc import Iterator
from typing import Final

from torch import Tensor

SMALL: Final = 2**16
"""Most elements of a matrix [B, M] that counts as small on a CPU: 256 items with themselves."""
MOST_COMPARED: Final = 31
"""Most positives of an anchor whose thresholds are compared with all candidates on a CPU."""
FEW_COMPARISONS: Final = 2**15
"""Most comparisons of thresholds and candidates that NumPy makes; of more, torch's are faster."""
BLOCK: Final = 2**15
"""Elements that a CPU takes at a time, of each of some matrices: together they fit its cache."""
TRIPLET_BLOCK: Final = 2**18
"""The same of one matrix."""
GPU_BLOCK: Final = 2**26
"""The same on a GPU, which is fast with few and large pieces of work."""


def is_small(anchors: Tensor, others: Tensor) -> bool:
    """Return whether a matrix of all anchors [B, D] by all others [M, D] counts as small."""
    return anchors.device.type == "cpu" and len(anchors) * len(others) <= SMALL


def compares_at_once(matrix: Tensor, most_positives: int) -> bool:
    """Return whether all thresholds are compared with all candidates in one block."""
    return matrix.device.type == "cpu" and matrix.numel() * most_positives <= TRIPLET_BLOCK


def compares_thresholds(matrix: Tensor, most_positives: int) -> bool:
    """Return whether thresholds are compared with all candidates, instead of ranked."""
    few = matrix.device.type == "cpu" and most_positives <= MOST_COMPARED
    return few or compares_at_once(matrix, most_positives)


def row_blocks(matrix: Tensor, block: int | None = None, *, planes: int = 1) -> Iterator[slice]:
    """Cut the rows of a matrix [B, M] into blocks.

    Args:
        matrix: any.
        block: elements of a block on a CPU; BLOCK by default.
        planes: matrices of a block's shape that these elements are for.
    """
    most = (block or BLOCK) if matrix.device.type == "cpu" else GPU_BLOCK
    rows = max(1, most // max(1, matrix.shape[1] * planes))
    for first in range(0, len(matrix), rows):
        yield slice(first, first + rows)

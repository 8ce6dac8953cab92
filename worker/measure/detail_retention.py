"""Detail retention: what an embedding keeps that no loss has asked for."""

import torch
from torch import Tensor

from worker.errors import InputError
from worker.measure.inputs import check
from worker.measure.neighbours import nearest
from worker.measure.retrieval import relevant_items


@torch.no_grad()
def detail(embeddings: Tensor, fine_labels: Tensor) -> dict[str, float]:
    """Share of items whose nearest other item has the same fine label.

    Args:
        embeddings: [N, D] float32 or float64, finite.
        fine_labels: [N] integers, that tell the members of a class apart and that no loss has seen.

    Returns:
        `detail.recall_at_1`. An item that is the only one of its fine label is left out as a query;
        `left_out(fine_labels)` counts them.

    Raises:
        InputError: names the argument and what was seen; also if no query is left.
    """
    check(embeddings, fine_labels, labels_name="fine_labels")
    asked = relevant_items(fine_labels, fine_labels) > 1
    if not asked.any():
        raise InputError(
            f"fine_labels: expected one with two items, got {len(fine_labels)} with one each"
        )
    found = torch.cat(
        [part[:, 0] for _, part in nearest(embeddings, embeddings, 1, leave_self_out=True)]
    )
    right = fine_labels[found] == fine_labels
    return {"detail.recall_at_1": int(right[asked].sum()) / int(asked.sum())}

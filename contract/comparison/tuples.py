"""Whether the batches of a training can ever hold what a loss compares.

A loss of tuples needs items of one class and items of others in one batch. Where batch size and
sampler rule that out, nothing would be learned. Losses whose tuples are items need neither.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from contract.comparison.data import Data, modalities, shape_of
from contract.comparison.problems import Problem
from contract.comparison.spec import Arm, valid_sections
from contract.comparison.training import MPerClassSampler, Training


class Need(NamedTuple):
    """What a tuple of a loss consists of, within one modality."""

    items: int
    """Fewest items of a batch that holds one."""
    words: str


NEEDS: Final = {
    "contrastive": Need(2, "a pair takes two items"),
    "triplet": Need(3, "a triplet takes two items of one class and one of another"),
    "n_pair": Need(4, "it takes two items of each of two classes"),
    "info_nce": Need(3, "it takes two items of one class and one of another"),
    "sup_con": Need(3, "it takes two items of one class and another one to compete with"),
}
"""The losses that compare items of a batch with each other. Between two modalities an item has its
own counterpart as a positive, so that any two items of two classes are enough."""


def tuple_problems(raw: Mapping[str, Any]) -> list[Problem]:
    """Return a problem for each arm of a new spec whose batches can never hold a tuple to learn
    from; other parts of the spec may be invalid.

    A stored spec is not checked: it may be of a version that allowed such arms.
    """
    data, training, arms = valid_sections(raw)
    if data is None or training is None:
        return []
    return [
        problem
        for index, arm in enumerate(arms)
        if arm is not None
        for problem in arm_tuple_problems(data, training, arm, f"arms[{index}]")
    ]


def arm_tuple_problems(data: Data, shared: Training, arm: Arm, path: str) -> list[Problem]:
    """Return why no batch of an arm can ever hold a tuple to learn from.

    Args:
        data: of the spec.
        shared: the training settings of all arms.
        arm: of the spec.
        path: of the arm in the spec.
    """
    need = NEEDS.get(arm.loss.kind)
    if need is None or shape_of(data) is not None:  # tuples that are given need no classes
        return []
    training = arm.training.over(shared)
    size, sampler = training.batch_size, training.sampler
    own_size = f"{path}." if arm.training.batch_size is not None else ""
    own_sampler = f"{path}." if arm.training.sampler is not None else ""
    if isinstance(sampler, MPerClassSampler) and sampler.m == size:
        if size >= 4:
            change = f"lower m to {size // 2} or less, or raise the batch size"
        else:
            change = f"raise the batch size to {2 * size} or more"
        message = (
            f"{sampler.m} items a class in batches of {size} are one class a batch, so that arm "
            f"{arm.name!r} never sees two classes together; {change}"
        )
        return [Problem(f"{own_sampler}training.sampler.m", message)]
    least = need.items if modalities(data).visual is None else 2
    if size >= least:
        return []
    message = (
        f"{size} items a batch are too few for arm {arm.name!r} with the loss {arm.loss.kind!r}: "
        f"{need.words}; take {least} or more"
    )
    return [Problem(f"{own_size}training.batch_size", message)]

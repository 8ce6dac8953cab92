"""Rules between sections of a spec, each on its own inputs, so that all can be checked at once."""

from collections.abc import Sequence

from contract.data import Data, class_count, holds_images, training_items
from contract.encoder import Encoder
from contract.problems import Problem
from contract.training import MPerClassSampler, Training


def encoder_problems(data: Data, encoder: Encoder) -> list[Problem]:
    """A convolutional encoder needs images."""
    if encoder.kind == "convnet" and not holds_images(data):
        return [
            Problem(
                "encoder.kind", f"'convnet' needs images, '{data.kind}' holds vectors; use 'mlp'"
            )
        ]
    return []


def batch_problems(data: Data, training: Training, path: str) -> list[Problem]:
    """A batch must fit in the training split and divide evenly among its classes."""
    size, sampler = training.batch_size, training.sampler
    problems: list[Problem] = []
    if size > training_items(data):
        problems.append(
            Problem(
                f"{path}.batch_size",
                f"{size} is more than the {training_items(data)} training items of '{data.kind}'",
            )
        )
    if isinstance(sampler, MPerClassSampler):
        if size % sampler.m:
            problems.append(
                Problem(
                    f"{path}.batch_size",
                    f"{size} is not divisible by the sampler's m = {sampler.m}",
                )
            )
        elif size // sampler.m > class_count(data):
            problems.append(
                Problem(
                    f"{path}.sampler.m",
                    f"{size} / {sampler.m} = {size // sampler.m} classes a batch, but "
                    f"'{data.kind}' has {class_count(data)}; raise m or lower the batch size",
                )
            )
    return problems


def duplicate_problems(values: Sequence[object], path: str, field: str = "") -> list[Problem]:
    """Names of arms and seeds are told apart by their value: none may come twice."""
    seen: set[object] = set()
    problems: list[Problem] = []
    for index, value in enumerate(values):
        if value is not None and value in seen:
            problems.append(Problem(f"{path}[{index}]{field}", f"{value!r} is used twice"))
        seen.add(value)
    return problems

"""What the form needs to offer a search: the settings of each loss with its ready-made space."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from pydantic import BaseModel

from contract.comparison.loss import KINDS_WITH_PARAMETERS, SHOWN_WHERE
from contract.comparison.training import MPerClassSampler, Training
from contract.comparison.tuning import Tuning
from contract.tuning.draws import WHOLE
from contract.tuning.objectives import possible_objectives
from contract.tuning.paths import LOSSES, OPTIMIZERS, Setting, loss_settings, training_settings
from contract.tuning.spaces import LR, default_space

Where = dict[str, list[str]]
"""Path of a setting -> the values of it under which another one can be searched."""

_OF_TRAINING: Final[Mapping[str, type[BaseModel]]] = {
    "training.epochs": Training,
    "training.batch_size": Training,
    "training.sampler.m": MPerClassSampler,
}


def tuning_entry() -> dict[str, Any]:
    """Return the schema of the tuning section, the possible objectives, and for each kind of loss
    the settings that its arms can be searched over, as JSON."""
    return {
        "schema": Tuning.model_json_schema(),
        "objectives": possible_objectives(),
        "settings": {kind: _rows(kind) for kind in LOSSES},
    }


def _rows(loss: str) -> list[dict[str, Any]]:
    """Return a row for each setting; for one whose space depends on the optimiser several."""
    rows = []
    model = LOSSES[loss]
    space = default_space(loss)
    for name, setting in loss_settings(model).items():
        extra = model.model_fields[name].json_schema_extra
        shown = extra.get(SHOWN_WHERE) if isinstance(extra, dict) else None
        where = {f"loss.{other}": [str(value)] for other, value in _items(shown)}
        rows.append(_row(f"loss.{name}", model, setting, space, where))
    return rows + training_rows(
        lambda optimizer: default_space(loss, optimizer), trainable=loss in KINDS_WITH_PARAMETERS
    )


def training_rows(
    space_of: Callable[[str], Mapping[str, Any]], *, trainable: bool
) -> list[dict[str, Any]]:
    """Return a row for each training setting that a search can vary.

    Args:
        space_of: returns the ready-made space by kind of optimiser.
        trainable: whether the loss has parameters that are trained.
    """
    rows = []
    space = space_of("adam")
    for path, setting in training_settings(trainable=trainable).items():
        name = path.rpartition(".")[2]
        if path.startswith("training.optimizer."):
            kinds = [kind for kind, one in OPTIMIZERS.items() if name in one.model_fields]
            owner: type[BaseModel] = OPTIMIZERS[kinds[0]]
            groups = _by_space(space_of, path, kinds)
        else:
            owner, groups = _OF_TRAINING[path], [(space, {})]
            if path == "training.sampler.m":
                groups = [(space, {"training.sampler.kind": ["m_per_class"]})]
        rows += [_row(path, owner, setting, own, where) for own, where in groups]
    return rows


def _by_space(
    space_of: Callable[[str], Mapping[str, Any]], path: str, kinds: list[str]
) -> list[tuple[Mapping[str, Any], Where]]:
    """Return the optimisers that have a setting, those with the same space together."""
    groups: list[tuple[Mapping[str, Any], Where]] = []
    for kind in kinds:
        space = space_of(kind)
        for before, where in groups:
            if before.get(path) == space.get(path):
                where["training.optimizer.kind"].append(kind)
                break
        else:
            groups.append((space, {"training.optimizer.kind": [kind]}))
    everywhere = len(groups) == 1 and len(kinds) == len(LR)
    return [(groups[0][0], {})] if everywhere else groups


def _row(
    path: str, owner: type[BaseModel], setting: Setting, space: Mapping[str, Any], where: Where
) -> dict[str, Any]:
    """Return what the form shows of a setting.

    Args:
        path: of the setting.
        owner: the section that it belongs to.
        setting: its values.
        space: the ready-made space of the loss; without the path, it is searched only on request.
        where: values of others under which it has an effect, by path; empty for always.
    """
    field = owner.model_fields.get(path.rpartition(".")[2])
    own = space.get(path)
    return {
        "path": path,
        "title": (field and field.title) or "Kind",
        "description": (field and field.description) or "",
        "type": "choice" if setting.choices else "integer" if path in WHOLE else "number",
        "choices": list(setting.choices),
        "space": None if own is None else own.model_dump(mode="json"),
        "where": where,
    }


def _items(shown: object) -> list[tuple[str, object]]:
    return list(shown.items()) if isinstance(shown, dict) else []

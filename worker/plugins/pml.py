"""The losses of pytorch-metric-learning as plug-ins, each with a miner and a distance by name.

Musgrave, Belongie & Lim 2020, arXiv 2008.09164. The library is an optional extra of workers. A loss
of it is computed by its own code and its own reducer; what it hands to that reducer are the losses
of its tuples, from which the active ones are counted.
"""

import hashlib
import inspect
from collections.abc import Mapping
from functools import cache
from importlib import import_module, metadata, util
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from torch import Tensor, nn

from contract.comparison.loss import NamedPart, PluginLoss
from contract.comparison.plugins import Schema, value_problem
from worker.api.plugin_ref import PluginRef
from worker.errors import InputError
from worker.plugins import pml_facts
from worker.plugins.candidate import Built, Candidate
from worker.plugins.declare import Declared
from worker.plugins.parameters import OF_CLASSES, OF_DIM, with_search
from worker.plugins.terms import Terms

DISTRIBUTION: Final = "pytorch-metric-learning"
PACKAGE: Final = "pytorch_metric_learning"
PREFIX: Final = "pml."
"""Of the names of its losses."""
NOT_INSTALLED: Final = (
    f"{DISTRIBUTION} is not installed beside this worker: pip install -c constraints.txt --group "
    "pml"
)
_GIVEN: Final = (*OF_CLASSES, *OF_DIM, "descriptors_dim")


def is_installed() -> bool:
    """Return whether the library is there."""
    return util.find_spec(PACKAGE) is not None


def class_names() -> list[tuple[str, str]]:
    """Return the names of its losses, and why one of them cannot be one here; empty if it can."""
    found = _module("losses")
    return [
        (name, pml_facts.UNUSABLE.get(name, ""))
        for name, one in sorted(vars(found).items())
        if isinstance(one, type) and issubclass(one, nn.Module) and name not in pml_facts.ABSTRACT
    ]


def candidate(name: str) -> Candidate:
    """Import the library and return one of its losses.

    Raises:
        InputError: it has no such loss, or the loss takes something that a spec cannot give.
    """
    module = getattr(_module("losses"), name, None)
    if not isinstance(module, type) or not issubclass(module, nn.Module):
        raise InputError(f"{DISTRIBUTION} {_version()} has no loss {name!r}")
    parameters = LibraryParameters(module)
    paper, url = pml_facts.PAPERS.get(name, ("", ""))
    return Candidate(
        PluginRef(source="pml", where=name, name=PREFIX + name, digest=_digest(name)),
        Declared(PREFIX + name, f"{name} (pml)", "", paper, url),
        parameters,  # type: ignore[arg-type]
        _Builder(module, parameters),
        version=_version(),
        source="pml",
        miners=_parts("miners", pml_facts.MINERS),
        distances=_parts("distances", pml_facts.DISTANCES),
    )


class LibraryParameters:
    """The parameters of a class of the library, whose signatures have no types: a number by default
    stands for any number, unless it is one of those known to be whole.

    Attributes:
        schemas: JSON schema of each parameter that an arm can set, by name.
        given: those that the trainer gives.
    """

    def __init__(self, module: type) -> None:
        """Read the signatures of the class and of those above it."""
        self.given: tuple[str, ...] = ()
        self.schemas: dict[str, Any] = {}
        known = pml_facts.PARAMETERS.get(module.__name__, {})
        for name, default in _defaults(module).items():
            schema = known.get(name, _schema(module.__name__, name, default))
            if name in _GIVEN or (name == "l" and default is inspect.Parameter.empty):
                # An optional one changes what the loss is: it stays as the library has it.
                is_needed = default is inspect.Parameter.empty
                self.given = (*self.given, name) if is_needed else self.given
            elif schema is not None:
                self.schemas[name] = with_search(schema)
            elif default is inspect.Parameter.empty and name not in pml_facts.HIDDEN:
                raise InputError(f"its parameter {name!r} is nothing that a spec can give")

    def arguments(self, params: Mapping[str, Any], *, classes: int, dim: int) -> dict[str, Any]:
        """Return the arguments of the class for the parameters of an arm.

        Raises:
            InputError: a parameter is unknown, or its value does not fit.
        """
        own = _arguments(self.schemas, params, "params")
        amounts = {name: classes if name in OF_CLASSES else dim for name in self.given}
        return {**own, **amounts}


class _Builder:
    def __init__(self, module: type[nn.Module], parameters: LibraryParameters) -> None:
        self._module = module
        self._parameters = parameters

    def __call__(self, loss: PluginLoss, classes: int, dim: int) -> Built:
        arguments = self._parameters.arguments(loss.params, classes=classes, dim=dim)
        if loss.distance is not None:
            arguments["distance"] = _build_part("distances", loss.distance, pml_facts.DISTANCES)
        made = self._module(**arguments)
        miner = None
        if loss.miner is not None:
            miner = _build_part("miners", loss.miner, pml_facts.MINERS)
        module = LibraryLoss(made, miner, self._module.__name__, loss.params)
        return Built(module, module, True)  # where the library refuses it, the check finds out


class LibraryLoss(nn.Module):
    """A loss of the library with its miner, whose output are terms where the loss has some."""

    def __init__(
        self, loss: nn.Module, miner: nn.Module | None, name: str, params: Mapping[str, Any]
    ) -> None:
        super().__init__()
        self.loss = loss
        self.miner = miner
        self._name = name
        self._hinge = name in pml_facts.HINGES and not params.get("smooth_loss")
        self._picks = miner is not None or params.get("triplets_per_anchor") is not None
        reducer = loss.reducer
        assert isinstance(reducer, nn.Module), "every loss of the library has one"
        self._seen = _Seen(reducer)
        loss.reducer = self._seen

    def forward(
        self,
        embeddings: Tensor,
        labels: Tensor,
        others: Tensor | None = None,
        other_labels: Tensor | None = None,
    ) -> Tensor | Terms:
        """Return what the library's loss is, by its own reducer."""
        picked = None
        if self.miner is not None:
            picked = self.miner(embeddings, labels, others, other_labels)
        value: Tensor = self.loss(embeddings, labels, picked, others, other_labels)
        found = self._seen.take()
        terms = [one for info in found.values() if (one := self._terms(info)) is not None]
        if not terms:
            return value.reshape(())
        first, *more = self._together(terms)
        return Terms(
            first.values,
            kind=first.kind,
            hinge=self._hinge,
            value=value.reshape(()),
            anchors=first.anchors,
            selected=self._picks,
            more=tuple(more),
        )

    def _terms(self, info: Mapping[str, Any]) -> Terms | None:
        """Return the losses of one part as terms; None for one that has no tuples."""
        losses, kind = info["losses"], info["reduction_type"]
        if not isinstance(losses, Tensor) or kind == "already_reduced":
            return None
        losses = losses.reshape(-1)
        if kind == "element":
            of_proxies = self._name in pml_facts.PROXIES
            return Terms(losses, kind="proxy" if of_proxies else "anchor", hinge=self._hinge)
        anchors = info["indices"][0]
        name = pml_facts.PAIR_KINDS.get(kind, "pair") if self._has_sides else "pair"
        return Terms(
            losses,
            kind="triplet" if kind == "triplet" else name,
            hinge=self._hinge,
            anchors=anchors,
        )

    @property
    def _has_sides(self) -> bool:
        """Whether its parts are the positive and the negative pairs."""
        names: list[str] = self.loss.sub_loss_names()  # type: ignore[operator]
        return {"pos_loss", "neg_loss"} <= set(names)

    def _together(self, terms: list[Terms]) -> list[Terms]:
        """Add up what several parts say of the same proxies."""
        if self._name not in pml_facts.PROXIES:
            return terms
        total = sum(one.values for one in terms if one.values is not None)
        assert isinstance(total, Tensor), "a loss of proxies has parts"
        return [Terms(total, kind="proxy", hinge=self._hinge)]


class _Seen(nn.Module):
    """A reducer that remembers what it reduced last."""

    def __init__(self, reducer: nn.Module) -> None:
        super().__init__()
        self.reducer = reducer
        self._last: Mapping[str, Mapping[str, Any]] = {}

    def forward(self, loss_dict: Any, embeddings: Tensor, labels: Tensor) -> Any:
        """Reduce as the library does."""
        self._last = loss_dict
        return self.reducer(loss_dict, embeddings, labels)

    def take(self) -> Mapping[str, Mapping[str, Any]]:
        """Return what was reduced last, and forget it."""
        last, self._last = self._last, {}
        return last


def _module(name: str) -> ModuleType:
    return import_module(f"{PACKAGE}.{name}")


def _version() -> str:
    return metadata.version(DISTRIBUTION)


@cache
def _code() -> bytes:
    """Return a digest of all code of the library."""
    spec = util.find_spec(PACKAGE)
    assert spec is not None, "it is installed"
    assert spec.origin is not None, "it is a package with files"
    root = Path(spec.origin).parent
    seen = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        seen.update(str(path.relative_to(root)).encode() + b"\0" + path.read_bytes())
    return seen.digest()


def _digest(name: str) -> str:
    return hashlib.sha256(f"{PREFIX}{name} {_version()} ".encode() + _code()).hexdigest()[:16]


def _defaults(module: type) -> dict[str, Any]:
    """Return the parameters of a class and of those above it with their defaults, as keyword
    arguments reach them."""
    found: dict[str, Any] = {}
    for one in module.__mro__:
        if one is nn.Module or "__init__" not in vars(one):
            continue
        for name, parameter in list(inspect.signature(vars(one)["__init__"]).parameters.items())[
            1:
        ]:
            if parameter.kind not in {parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD}:
                found.setdefault(name, parameter.default)
    return {name: default for name, default in found.items() if name not in pml_facts.HIDDEN}


def _schema(owner: str, name: str, default: Any) -> dict[str, Any] | None:
    """Return the schema of a parameter by its default; None for one that no spec can give."""
    if isinstance(default, bool):
        return {"type": "boolean", "default": default}
    if not isinstance(default, int | float):
        return None
    if name in pml_facts.WHOLE or (owner, name) in pml_facts.WHOLE_OF:
        return {"type": "integer", "default": int(default), "minimum": 1}
    return {"type": "number", "default": float(default)}


def _parts(package: str, known: Mapping[str, Mapping[str, Schema]]) -> dict[str, dict[str, Any]]:
    """Return the schemas of miners or distances by name: those known, the others by their
    defaults."""
    found: dict[str, dict[str, Any]] = {}
    for name, schemas in known.items():
        module = getattr(_module(package), name, None)
        if module is None:
            continue  # of another version of the library
        own = _defaults(module) if package == "miners" else {}
        read = {key: _schema(name, key, default) for key, default in own.items()}
        merged = {**read, **schemas}
        found[name] = {key: dict(schema) for key, schema in merged.items() if schema is not None}
    return found


def _build_part(
    package: str, chosen: NamedPart, known: Mapping[str, Mapping[str, Schema]]
) -> nn.Module:
    what = package.removesuffix("s")
    schemas = _parts(package, known).get(chosen.name)
    if schemas is None:
        raise InputError(f"{what}.name: {chosen.name!r} is unknown; known are {', '.join(known)}")
    arguments = _arguments(schemas, chosen.params, f"{what}.params")
    made: nn.Module = getattr(_module(package), chosen.name)(**arguments)
    return made


def _arguments(
    schemas: Mapping[str, Schema], params: Mapping[str, Any], path: str
) -> dict[str, Any]:
    """Return the arguments for some parameters, in the library's own terms."""
    for name, value in params.items():
        if name not in schemas:
            raise InputError(f"{path}.{name}: unknown; known are {', '.join(schemas)}")
        if problem := value_problem(schemas[name], value):
            raise InputError(f"{path}.{name}: {problem}")
    given = {name: params.get(name, schema.get("default")) for name, schema in schemas.items()}
    if given.get("triplets_per_anchor", 0) is None:
        given["triplets_per_anchor"] = "all"
    return given

"""Where plug-ins come from, and the loading of one: a library, installed packages, or a file."""

import hashlib
import inspect
import os
import stat
import sys
from collections.abc import Iterator
from functools import partial
from importlib import import_module, util
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import CodeType, ModuleType
from typing import Final, NamedTuple

from torch import nn

from contract.catalogue.catalogue import LOSSES
from worker.api.plugin_ref import PluginRef
from worker.errors import InputError
from worker.plugins import pml
from worker.plugins.candidate import Candidate, built_class
from worker.plugins.declare import declared_by
from worker.plugins.parameters import Parameters
from worker.settings import ENTRY_POINTS, PML

GROUP: Final = "lossboard.losses"
"""Group of the entry points."""
OF_OTHERS: Final = stat.S_IWGRP | stat.S_IWOTH
"""Permissions that nobody but the owner may have."""
MAX_FILE: Final = 1_000_000
"""Bytes of a file with losses."""
OWN_NAMES: Final = {row.kind for row in LOSSES}


class Place(NamedTuple):
    """Something that is imported by itself, so that what it does to the process hurts no other."""

    source: str
    """pml, entry_points or file."""
    where: str
    """Name of a class or of an entry point, or a path."""
    problem: str = ""
    """Why it is not imported at all."""


def places(setting: tuple[str, ...]) -> Iterator[Place]:
    """Yield all places that LOSSBOARD_LOSSES names, without importing a plug-in."""
    for name in setting:
        if name == PML:
            yield from _library_places()
        elif name == ENTRY_POINTS:
            yield from (Place(ENTRY_POINTS, one.name) for one in _entry_points())
        else:
            yield from _folder_places(Path(name))


def load(place: Place) -> list[Candidate]:
    """Import what lies at a place; an entry point and a class are one plug-in, a file may have
    several.

    Raises:
        InputError: it is no plug-in, or may not be imported; says why.
        Exception: whatever its code raises.
    """
    if place.problem:
        raise InputError(place.problem)
    if place.source == PML:
        return [pml.candidate(place.where)]
    if place.source == ENTRY_POINTS:
        return [_of_entry_point(place.where)]
    return _of_file(Path(place.where))


def load_one(ref: PluginRef) -> Candidate:
    """Import the plug-in that a run needs, and nothing else.

    Raises:
        InputError: it is not there any more, or its code is not that which was checked.
        Exception: whatever its code raises.
    """
    found = {one.ref.name: one for one in load(Place(ref.source, ref.where))}
    candidate = found.get(ref.name)
    if candidate is None:
        raise InputError(f"{ref.where} has no loss {ref.name!r} any more; start the worker again")
    if candidate.ref.digest != ref.digest:
        raise InputError(
            f"the code of {ref.name!r} has changed since this worker started; start it again, so "
            "that the new code is checked"
        )
    return candidate


def _library_places() -> Iterator[Place]:
    if not pml.is_installed():
        yield Place(PML, PML, pml.NOT_INSTALLED)
        return
    yield from (Place(PML, name, problem) for name, problem in pml.class_names())


def _entry_points() -> list[EntryPoint]:
    return sorted(entry_points(group=GROUP), key=lambda one: one.name)


def _folder_places(folder: Path) -> Iterator[Place]:
    if problem := _permission_problem(folder):
        yield Place("file", str(folder), problem)
        return
    for path in sorted(folder.glob("*.py")):
        if not path.name.startswith("_"):
            yield Place("file", str(path), _permission_problem(path))


def _permission_problem(path: Path) -> str:
    """Return why code must not be taken from a path; empty if it may."""
    try:
        seen = path.stat()
    except OSError as error:
        return f"{path} cannot be read: {error.strerror}"
    return _owner_problem(path, seen)


def _owner_problem(path: Path, seen: os.stat_result) -> str:
    mode = stat.filemode(seen.st_mode)
    if seen.st_uid != os.geteuid():
        return (
            f"{path} ({mode}) belongs to user {seen.st_uid}, and this worker is user "
            f"{os.geteuid()}; code is taken only from what belongs to the worker's own user"
        )
    if seen.st_mode & OF_OTHERS:
        return f"{path} ({mode}) can be written by others; chmod go-w {path}"
    return ""


def _of_entry_point(name: str) -> Candidate:
    found = next((one for one in _entry_points() if one.name == name), None)
    if found is None:
        raise InputError(f"no installed package has the entry point {name!r} any more")
    module = found.load()
    declared = declared_by(module) if isinstance(module, type) else None
    if declared is None:
        raise InputError(f"{found.value} is not a class that @loss marks")
    if declared.name != name:
        raise InputError(
            f"{found.value} is the loss {declared.name!r}, but its entry point is named {name!r}; "
            "name both alike"
        )
    version = found.dist.version if found.dist else ""
    digest = _digest(name, version.encode(), package_code(module))
    ref = PluginRef(source="entry_points", where=name, name=name, digest=digest)
    return _candidate(ref, module, source=ENTRY_POINTS, version=version)


def package_code(module: type) -> bytes:
    """Return a digest of all code of the package that a class lies in."""
    top = import_module(module.__module__.partition(".")[0])
    file = Path(inspect.getfile(top))
    files = sorted(file.parent.rglob("*.py")) if file.name == "__init__.py" else [file]
    seen = hashlib.sha256()
    for path in files:
        seen.update(str(path.relative_to(file.parent)).encode() + b"\0" + path.read_bytes())
    return seen.digest()


def _of_file(path: Path) -> list[Candidate]:
    code, content = _read(path)
    module = _module_of(path, code)
    classes = [
        one
        for one in vars(module).values()
        if isinstance(one, type) and one.__module__ == module.__name__
    ]
    found = []
    for one in classes:
        if (declared := declared_by(one)) is not None:
            digest = _digest(declared.name, content)
            ref = PluginRef(source="file", where=str(path), name=declared.name, digest=digest)
            found.append(_candidate(ref, one, source=str(path.parent)))
    if not found:
        raise InputError(f"{path} has no class that @loss marks")
    return found


def _read(path: Path) -> tuple[CodeType, bytes]:
    """Read a file once, so that what was checked is what is imported."""
    with path.open("rb") as file:
        if problem := _owner_problem(path, os.fstat(file.fileno())):
            raise InputError(problem)
        content = file.read(MAX_FILE + 1)
    if len(content) > MAX_FILE:
        raise InputError(f"{path} has more than {MAX_FILE:,} bytes")
    return compile(content, str(path), "exec"), content


def _module_of(path: Path, code: CodeType) -> ModuleType:
    """Run a file as a module of its own; what it marks can be found by the names of its classes."""
    name = f"lossboard_file_{hashlib.sha256(str(path).encode()).hexdigest()[:16]}"
    spec = util.spec_from_loader(name, loader=None, origin=str(path))
    assert spec is not None, "a spec without a loader can always be made"
    module = util.module_from_spec(spec)
    module.__file__ = str(path)
    sys.modules[name] = module  # dataclasses look their module up
    exec(code, module.__dict__)
    return module


def _candidate(
    ref: PluginRef, module: type[nn.Module], *, source: str, version: str = ""
) -> Candidate:
    declared = declared_by(module)
    assert declared is not None, "it was looked at"
    if declared.name in OWN_NAMES:
        raise InputError(f"{declared.name!r} is one of Lossboard's own losses; take another name")
    parameters = Parameters(module)
    return Candidate(
        ref,
        declared,
        parameters,
        partial(built_class, module, parameters),
        version=version,
        source=source,
    )


def _digest(name: str, *parts: bytes) -> str:
    """Return 16 hex digits that are the same only for the same code under the same name."""
    seen = hashlib.sha256(name.encode())
    for part in parts:
        seen.update(b"\0" + hashlib.sha256(part).digest())
    return seen.hexdigest()[:16]

"""The names of a call's query parameters: a name that the call does not have is refused."""

from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any, Final, get_args, get_origin

from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.dependencies.utils import request_params_to_args
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel

LONGEST_NAME: Final = 60
"""Characters that an error shows of a name, as callers write it."""


async def check_query(request: Request) -> None:
    """Check that the query has only names that the route knows, and lists only where it takes them.

    Raises:
        RequestValidationError: it has others; it names each of them, and each wrong value.
    """
    route = request.scope["route"]
    given = request.query_params
    if not given or not isinstance(route, APIRoute):
        return
    parts = list(_parts(route.dependant))
    known = {name: annotation for part in parts for name, annotation in _parameters(part)}
    wrong: dict[str, str] = {}
    for name in given:
        if name not in known:
            wrong[name] = f"there is no such parameter; {_advice(name, list(known))}"
        elif (times := len(given.getlist(name))) > 1 and not _takes_list(known[name]):
            wrong[name] = f"it is given {times} times and takes one value; give it once"
    if wrong:
        problems = [_problem(name, message) for name, message in wrong.items()]
        for part in parts:
            _, of_values = request_params_to_args(part.query_params, given)
            problems += of_values
        raise RequestValidationError(problems)


def _parts(dependant: Dependant) -> Iterator[Dependant]:
    """Yield what declares parameters: the handler and all that it depends on."""
    yield dependant
    for part in dependant.dependencies:
        yield from _parts(part)


def _parameters(part: Dependant) -> Iterator[tuple[str, object]]:
    """Yield name and type of each query parameter that one function declares."""
    for field in part.query_params:
        annotation = field.field_info.annotation
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            for name, info in annotation.model_fields.items():
                yield info.alias or name, info.annotation
        else:
            yield field.alias, annotation


def _takes_list(annotation: object) -> bool:
    return list in {get_origin(one) for one in (annotation, *get_args(annotation))}


def _advice(name: str, known: list[str]) -> str:
    if not known:
        return "this call takes none"
    if close := get_close_matches(name[:LONGEST_NAME], known, n=1):
        return f"did you mean {close[0]!r}?"
    return f"known are {', '.join(known)}"


def _problem(name: str, message: str) -> dict[str, Any]:
    return {"type": "value_error", "loc": ("query", name[:LONGEST_NAME]), "msg": message}

"""The template of the route that a request was given to."""

from starlette.types import Scope

from contract.names import API_PREFIX


def template(scope: Scope) -> str:
    """The route's path with its parameters' names; empty where none matched."""
    path = getattr(scope.get("route"), "path", "")
    return path if not path or path.startswith(API_PREFIX) else API_PREFIX + path

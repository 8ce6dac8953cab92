"""How the code is divided: sizes of modules, modules on top of a package, levels of imports.

    python -m benchmarks.structure [FOLDER]

FOLDER is a checkout, by default this one. Only the five packages count, without tests, benchmarks,
database migrations, generated modules and modules that hold nothing but a docstring. A level is
the longest way down the imports from a module; an arrow up is an import between two folders of
one package that also import each other, directly or through others.
"""

import ast
import re
import sys
from collections import defaultdict
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from statistics import mean, quantiles
from typing import Final

PACKAGES: Final = ("backend", "frontend", "worker", "contract", "launcher")
SMALL: Final = 100
"""Lines; a shorter module is small."""

GENERATED: Final = "Generated from the API's OpenAPI document"
"""In the docstring of a generated module."""

TYPES: Final = re.compile(r"(api_)?(\w+_)?types\.py")
"""Modules of the pages' types of the API's answers."""

Imports = dict[str, set[str]]


def modules(root: Path, package: str) -> dict[str, Path]:
    """Dotted name -> file of every module."""
    found = {}
    for path in sorted((root / package).rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        found[".".join(parts).removesuffix(".__init__")] = path
    return found


def imports(known: dict[str, Path]) -> Imports:
    """Module -> the modules of the same package that it imports."""
    found: Imports = {}
    for name, path in known.items():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        named: set[str] = set()
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                named |= {one.name for one in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                each = {f"{node.module}.{one.name}" for one in node.names}
                named |= {one if one in known else node.module for one in each}
        found[name] = (named & known.keys()) - {name}
    return found


def levels(graph: Imports) -> int:
    """The longest chain of imports; 0 if they form a circle."""
    depth: dict[str, int] = {}
    try:
        for name in TopologicalSorter(graph).static_order():
            depth[name] = 1 + max((depth[one] for one in graph[name]), default=0)
    except CycleError:
        return 0
    return max(depth.values())


def arrows_up(graph: Imports) -> int:
    """Imports between two folders that reach each other: at least one way leads back up."""
    room = {name: ".".join(name.split(".")[:2]) for name in graph}
    between: defaultdict[str, set[str]] = defaultdict(set)
    for name, used in graph.items():
        between[room[name]] |= {room[one] for one in used} - {room[name]}

    def reached(start: str) -> set[str]:
        seen: set[str] = set()
        left = [start]
        while left:
            new = between[left.pop()] - seen
            seen |= new
            left += new
        return seen

    circles = [(a, b) for a in list(between) for b in between[a] if a in reached(b)]
    return len(circles)


def main() -> None:
    """Print the figures."""
    root = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    sizes: list[int] = []
    types_by_hand = 0
    for package in PACKAGES:
        known = modules(root, package)
        texts = {
            path: text
            for path in known.values()
            if GENERATED not in (text := path.read_text(encoding="utf-8"))
        }
        lines = {path: len(text.splitlines()) for path, text in texts.items()}
        own = [n for path, n in lines.items() if n > 3 and "versions" not in path.parts]
        types_by_hand += sum(n for path, n in lines.items() if TYPES.fullmatch(path.name))
        graph = imports(known)
        top = len([path for path in (root / package).glob("*.py") if path.name != "__init__.py"])
        print(
            f"{package:9} {len(own):4} modules, {top:2} on top, "
            f"{levels(graph):2} levels, {arrows_up(graph)} arrows up"
        )
        sizes += own
    deciles = quantiles(sizes, n=10)
    small = sum(size for size in sizes if size < SMALL)
    print(
        f"together  {len(sizes):4} modules; lines: mean {mean(sizes):.0f}, p50 {deciles[4]:.0f}, "
        f"p90 {deciles[8]:.0f}, longest {max(sizes)}; "
        f"{small / sum(sizes):.1%} of all lines in modules under {SMALL}"
    )
    print(f"lines of API types written by hand: {types_by_hand}")


if __name__ == "__main__":
    main()

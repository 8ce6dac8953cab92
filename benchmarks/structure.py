"""How the code is cut: size of modules, modules on top of a package, levels and directions of imports.

    python -m benchmarks.structure [FOLDER]

FOLDER is a checkout; by default this one. Tests, benchmarks and migrations' versions count not.
"""

import ast
import sys
from collections import defaultdict
from pathlib import Path
from statistics import mean, quantiles

PACKAGES = ("backend", "frontend", "worker", "contract", "launcher")


def modules(root: Path) -> dict[str, Path]:
    return {
        ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__"): path
        for package in PACKAGES
        for path in sorted((root / package).rglob("*.py"))
    }


def lines(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def main() -> None:
    root = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    found = modules(root)
    sizes = {m: lines(p) for m, p in found.items() if lines(p) > 3 and not p.name.startswith("000")}
    total = sum(sizes.values())
    small = sum(n for n in sizes.values() if n < 100)
    q = quantiles(sizes.values(), n=10)
    print(
        "modules",
        len(sizes),
        "mean",
        round(mean(sizes.values())),
        "p50",
        q[4],
        "p90",
        q[8],
        "max",
        max(sizes.values()),
    )
    print(
        f"share under 100: {100 * small / total:.1f} %, {sum(n < 100 for n in sizes.values())} modules; under 60: {sum(n < 60 for n in sizes.values())}"
    )
    for p in PACKAGES:
        print(
            p,
            "top",
            len([x for x in (root / p).glob("*.py") if x.name != "__init__.py"]),
            "modules",
            sum(m.split(".")[0] == p for m in sizes),
        )
    if "-v" in sys.argv:
        by = defaultdict(list)
        for m, n in sizes.items():
            if n < 100:
                by[m.rpartition(".")[0]].append((n, m.rpartition(".")[2]))
        for k, v in sorted(by.items()):
            print(k, sorted(v))


main()

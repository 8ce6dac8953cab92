"""Plug-ins for tests: files in a folder of this user's own, and where one of them lies."""

from pathlib import Path

from contract.comparison.plugins import PluginEntry
from worker.api.plugin_ref import PluginRef
from worker.plugins.checks import check
from worker.plugins.sources import Place, load

FILES = Path(__file__).parent / "plugin_files"
TRIPLETS = (FILES / "triplets.py").read_text()


def put(folder: Path, name: str, source: str) -> Path:
    """Write a file that only this user may change, in a folder of that kind."""
    folder.mkdir(exist_ok=True)
    folder.chmod(0o755)
    path = folder / f"{name}.py"
    path.write_text(source)
    path.chmod(0o644)
    return path


def refs(path: Path) -> dict[str, PluginRef]:
    """Return the plug-ins of a file by name."""
    return {one.ref.name: one.ref for one in load(Place("file", str(path)))}


def pml_ref(name: str) -> PluginRef:
    """Return a loss of the library."""
    [found] = load(Place("pml", name))
    return found.ref


def entry_of(place: Place) -> PluginEntry:
    """Return what the check says of a place's only plug-in."""
    [found] = load(place)
    return check(found)

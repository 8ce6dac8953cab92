"""Where plug-ins come from: files of this user alone, entry points, and the library."""

import importlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.plugins import TRIPLETS, put, refs
from worker.api.plugin_ref import PluginRef
from worker.errors import InputError
from worker.plugins.sources import Place, load, load_one, places

NAMED = """
from torch import nn
from worker.plugins import loss

@loss(name="{name}")
class One(nn.Module):
    def forward(self, embeddings, labels):
        return embeddings.sum()
"""


def problem_of(place: Place) -> str:
    with pytest.raises(InputError) as raised:
        load(place)
    return str(raised.value)


def test_a_file_may_have_several_losses_and_hidden_files_none(tmp_path: Path) -> None:
    folder = tmp_path / "losses"
    path = put(folder, "triplets", TRIPLETS)
    put(folder, "_helper", "raise RuntimeError")
    assert list(places((str(folder),))) == [Place("file", str(path), "")]
    assert set(refs(path)) == {"counted_triplet", "listed_triplet", "plain_triplet"}


@pytest.mark.parametrize("mode", [0o664, 0o646])
def test_what_others_can_write_is_refused_with_path_and_mode(tmp_path: Path, mode: int) -> None:
    folder = tmp_path / "losses"
    path = put(folder, "triplets", TRIPLETS)
    path.chmod(mode)
    [place] = places((str(folder),))
    said = problem_of(place)
    assert str(path) in said
    assert "can be written by others; chmod go-w" in said
    shown = {0o664: "-rw-rw-r--", 0o646: "-rw-r--rw-"}
    assert shown[mode] in said
    path.chmod(0o644)
    folder.chmod(0o777)
    [place] = places((str(folder),))
    assert f"{folder} (drwxrwxrwx) can be written by others" in problem_of(place)


def test_what_belongs_to_another_user_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "losses"
    put(folder, "triplets", TRIPLETS)
    monkeypatch.setattr(os, "geteuid", lambda: folder.stat().st_uid + 1)
    [place] = places((str(folder),))
    assert f"{folder} (drwxr-xr-x) belongs to user" in problem_of(place)


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    [place] = places((str(tmp_path / "nowhere"),))
    assert problem_of(place) == f"{tmp_path / 'nowhere'} cannot be read: No such file or directory"


def test_files_that_are_no_plugins_say_why(tmp_path: Path) -> None:
    folder = tmp_path / "losses"
    nothing = put(folder, "nothing", "x = 1\n")
    assert problem_of(Place("file", str(nothing))) == f"{nothing} has no class that @loss marks"
    ours = put(folder, "ours", NAMED.format(name="triplet"))
    assert "one of Lossboard's own losses" in problem_of(Place("file", str(ours)))
    odd = put(folder, "odd", NAMED.format(name="Odd Name"))
    with pytest.raises(TypeError, match="must match"):
        load(Place("file", str(odd)))
    large = put(folder, "large", "#" * 1_000_001)
    assert "has more than 1,000,000 bytes" in problem_of(Place("file", str(large)))
    wrong = put(folder, "wrong", "import nothing_that_exists\n")
    with pytest.raises(ModuleNotFoundError):
        load(Place("file", str(wrong)))


def test_a_run_gets_only_the_code_that_was_checked(tmp_path: Path) -> None:
    path = put(tmp_path / "losses", "one", NAMED.format(name="one"))
    ref = refs(path)["one"]
    assert load_one(ref).ref == ref
    put(tmp_path / "losses", "one", f"{NAMED.format(name='one')}\n# changed\n")
    with pytest.raises(InputError, match="has changed since this worker started"):
        load_one(ref)
    put(tmp_path / "losses", "one", NAMED.format(name="two"))
    with pytest.raises(InputError, match="has no loss 'one' any more"):
        load_one(ref)
    gone = PluginRef(source="entry_points", where="gone", name="gone", digest="")
    with pytest.raises(InputError, match="no installed package has the entry point 'gone'"):
        load_one(gone)


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package with entry points of two losses, one of which has another name."""
    site = tmp_path / "site"
    put(site, "team_losses", NAMED.format(name="team"))
    info = site / "team_losses-1.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: team-losses\nVersion: 1.2\n")
    points = "[lossboard.losses]\nteam = team_losses:One\nother = team_losses:One\n"
    (info / "entry_points.txt").write_text(points)
    monkeypatch.syspath_prepend(str(site))
    importlib.invalidate_caches()
    yield site
    sys.modules.pop("team_losses", None)


def test_installed_packages_bring_losses_by_entry_points(installed: Path) -> None:
    named = [place.where for place in places(("entry_points",))]
    assert {"team", "other"} <= set(named)
    [found] = load(Place("entry_points", "team"))
    assert (found.ref.name, found.version, found.source) == ("team", "1.2", "entry_points")
    assert "name both alike" in problem_of(Place("entry_points", "other"))


def test_the_library_lists_every_loss_and_says_which_cannot_be_used() -> None:
    found = {place.where: place.problem for place in places(("pml",))}
    assert len(found) > 35
    assert {"MultiSimilarityLoss", "CircleLoss", "ProxyAnchorLoss"} <= set(found)
    unusable = {name for name, problem in found.items() if problem}
    assert unusable == {
        "CrossBatchMemory",
        "ManifoldLoss",
        "MultipleLosses",
        "SelfSupervisedLoss",
        "VICRegLoss",
    }
    with pytest.raises(InputError, match="has no loss 'NoSuchLoss'"):
        load(Place("pml", "NoSuchLoss"))

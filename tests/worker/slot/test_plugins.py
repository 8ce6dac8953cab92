"""The check of a slot's plug-ins in processes of their own, and what the slot makes of it."""

import os
from pathlib import Path
from typing import Any

import pytest

from contract.comparison.plugins import PluginEntry
from tests.support.backend import TOKEN, Backend
from tests.support.broker import Broker
from tests.support.plugin_entries import arm
from tests.support.plugins import TRIPLETS, put
from tests.support.running_slot import assert_complete, running
from tests.support.specs import small
from worker.api.client import Claim
from worker.api.plugin_ref import PluginRef
from worker.settings import Settings
from worker.slot.plugins import Check, Found, SlotPlugins

WAIT_S = 120.0
GOOD = """
from torch import nn
from worker.plugins import loss

@loss(name="{name}")
class Good(nn.Module):
    def forward(self, embeddings, labels):
        return embeddings.square().sum()
"""
SECRETS = """
import os
if {"LOSSBOARD_WORKER_TOKEN", "REDIS_URL", "LOSSBOARD_API_URL"} & set(os.environ):
    raise RuntimeError("it sees secrets")
print("noise that is no answer")
"""


def problems(found: Found) -> dict[str, str]:
    return {Path(one.name).name: one.problem for one in found.entries}


@pytest.mark.slow
def test_what_hurts_the_check_hurts_no_other_plugin(tmp_path: Path) -> None:
    folder = tmp_path / "losses"
    put(folder, "a_hangs", "import time\nwhile True:\n    time.sleep(1)\n")
    put(folder, "b_exits", "import os\nos._exit(7)\n")
    put(folder, "c_dies", "import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)\n")
    put(folder, "d_fills", "import torch\nkept = [torch.empty(2**28) for _ in range(1000)]\n")
    put(folder, "e_stops", "raise SystemExit('enough')\n")
    put(folder, "f_good", SECRETS + GOOD.format(name="good"))
    environment = {**os.environ, "LOSSBOARD_WORKER_TOKEN": "t", "REDIS_URL": "redis://x"}
    found = Check([str(folder)], limit_s=12.0, environ=environment).run()
    said = problems(found)
    assert said["a_hangs.py"] == "its check took too long and was ended"
    assert said["b_exits.py"] == "its check ended its process (exit code 7)"
    assert said["c_dies.py"] == "its check ended its process (signal SIGSEGV)"
    assert "allocate memory" in said["d_fills.py"]
    assert said["e_stops.py"] == "its check ended its process (exit code 1): enough"
    assert said["good"] == ""
    assert len(said) == 6
    assert [one.name for one in found.refs.values()] == ["good"]


def test_two_losses_of_one_name_are_told() -> None:
    found = Found()
    for folder in ("/srv/a", "/srv/b"):
        ref = PluginRef(source="file", where=f"{folder}/good.py", name="good", digest=folder)
        found.add(PluginEntry(name="good", source=folder, digest=folder), ref)
    first, second = found.entries
    assert (first.name, first.problem) == ("good", "")
    assert second.name.startswith("good (")
    assert second.problem.endswith("/a has a loss of this name too; rename one of them")
    assert len(found.refs) == 1


def test_without_a_setting_there_is_nothing_to_wait_for(backend: Backend) -> None:
    settings = Settings(broker_url="redis://x", api_url=backend.url, token=TOKEN, name="w1")
    plugins = SlotPlugins(settings)
    plugins.open()
    assert plugins.ready.is_set()
    assert plugins.digests() == []
    claim = Claim(run="r", attempt=1, lease_s=9, comparison="c", arm="a", seed=0, spec={})
    assert plugins.located(claim) is claim
    plugins.close()


def test_a_slot_reports_its_plugins_and_trains_with_them(broker: Broker, tmp_path: Path) -> None:
    folder = tmp_path / "losses"
    put(folder, "triplets", TRIPLETS)
    put(folder, "wrong", "x = 1\n")
    training = {"epochs": 1, "batch_size": 64}
    with running(broker, losses=(str(folder),)) as own:
        assert own.slot.plugins.ready.wait(WAIT_S)
        reported: dict[str, dict[str, Any]] = {one["name"]: one for one in own.backend.plugins}
        assert sum(one["problem"] == "" for one in reported.values()) == 3
        run = own.backend.queue(small(arms=[arm("listed_triplet")], training=training))
        run.loss_digest = reported["listed_triplet"]["digest"]
        other = own.backend.queue(small(arms=[arm("listed_triplet")], training=training))
        other.loss_digest = "of another worker"
        own.slot.work()
        assert_complete(run, 16)
        assert "dynamics.active_ratio.triplet" in run.series
        assert other.state == "queued"
        asked = own.backend.claims[-1]["losses"]
        assert sorted(asked) == sorted(one["digest"] for one in reported.values() if one["digest"])

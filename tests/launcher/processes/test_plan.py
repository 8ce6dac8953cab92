"""The plan: order, environment and command lines of the processes."""

import re
from pathlib import Path

from backend.auth.tokens import Tokens
from launcher.machine import Slot
from launcher.options import LauncherToken, Options
from launcher.processes import plan

CPU = [Slot("w1", "cpu", None), Slot("w2", "cpu", None)]


def _plan(folder: Path, *, slots: list[Slot], broker: bool = True, **environ: str) -> plan.Plan:
    return plan.build_plan(
        Options(data_dir=folder),
        slots=slots,
        threads=3,
        token="secret",
        broker_binary=Path("/valkey-server") if broker else None,
        environ=environ,
    )


def _names(made: plan.Plan) -> list[list[str]]:
    return [[process.name for process in stage] for stage in made.stages]


def test_stages_are_broker_then_api_then_workers_and_ui(tmp_path: Path) -> None:
    assert _names(_plan(tmp_path, slots=CPU)) == [
        ["broker"],
        ["api"],
        ["w1", "w2", "projector", "ui"],
    ]


def test_a_redis_url_replaces_the_broker(tmp_path: Path) -> None:
    made = _plan(tmp_path, slots=CPU, broker=False, REDIS_URL="redis://elsewhere/1")
    assert _names(made) == [["api"], ["w1", "w2", "projector", "ui"]]
    for stage in made.stages:
        for process in stage:
            assert process.environment["REDIS_URL"] == "redis://elsewhere/1"


def test_only_api_and_workers_get_the_worker_token_and_never_on_a_command_line(
    tmp_path: Path,
) -> None:
    processes = {p.name: p for stage in _plan(tmp_path, slots=CPU).stages for p in stage}
    with_token = {n for n, p in processes.items() if "LOSSBOARD_WORKER_TOKEN" in p.environment}
    assert with_token == {"api", "w1", "w2", "projector"}
    assert not [p for p in processes.values() if "secret" in " ".join(p.command)]


def test_only_the_api_gets_the_tokens_and_the_launchers_is_among_them(tmp_path: Path) -> None:
    environ = {"LOSSBOARD_TOKENS": "Ada:admin:a-token-of-some-length"}
    launcher_token = LauncherToken.create()
    made = plan.build_plan(
        Options(data_dir=tmp_path),
        slots=CPU,
        threads=1,
        token="secret",
        broker_binary=Path("/valkey-server"),
        environ={**environ, "LOSSBOARD_TOKENS_FILE": "/tokens"},
        launcher_token=launcher_token,
    )
    processes = {p.name: p for stage in made.stages for p in stage}
    with_list = {n for n, p in processes.items() if "LOSSBOARD_TOKENS" in " ".join(p.environment)}
    assert with_list == {"api"}
    environment = processes["api"].environment
    assert environment["LOSSBOARD_TOKENS_FILE"] == "/tokens"
    assert environment["LOSSBOARD_TOKENS"] == environ["LOSSBOARD_TOKENS"]
    hashed = environment["LOSSBOARD_LAUNCHER_TOKEN"]
    value = launcher_token.headers["Authorization"].removeprefix("Bearer ")
    assert Tokens.parse(f"x:editor:{hashed}").owner(value)
    assert launcher_token.value not in str(processes)
    assert launcher_token.value not in repr(launcher_token)
    others = [p for name, p in processes.items() if name != "api"]
    assert not [p for p in others if "LOSSBOARD_LAUNCHER_TOKEN" in p.environment]


def test_the_ui_proves_itself_to_the_api_and_neither_believes_a_proxy_unasked(
    tmp_path: Path,
) -> None:
    processes = {p.name: p for stage in _plan(tmp_path, slots=CPU).stages for p in stage}
    api, ui = processes["api"], processes["ui"]
    secret = api.environment["LOSSBOARD_UI_SECRET"]
    assert len(secret) > 40
    assert ui.environment["LOSSBOARD_UI_SECRET"] == secret
    assert [name for name, one in processes.items() if secret in one.environment.values()] == [
        "api",
        "ui",
    ]
    assert not [one for one in processes.values() if secret in " ".join(one.command)]
    assert "--no-proxy-headers" in api.command
    assert ui.environment["FORWARDED_ALLOW_IPS"] == ""
    assert {one.environment["LOSSBOARD_HOST"] for one in (api, ui)} == {"127.0.0.1"}


def test_a_gpu_slot_sees_its_own_gpu_only(tmp_path: Path) -> None:
    made = _plan(tmp_path, slots=[Slot("w1", "cuda", 1)])
    worker = made.stages[-1][0]
    assert worker.environment["CUDA_VISIBLE_DEVICES"] == "1"
    assert worker.environment["LOSSBOARD_DEVICE"] == "cuda"
    assert worker.environment["LOSSBOARD_TORCH_THREADS"] == "3"
    assert "lossboard.cuda" in worker.command
    assert worker.where == "cuda:1"


def test_the_brokers_password_is_on_no_command_line_and_not_for_the_dashboard(
    tmp_path: Path,
) -> None:
    made = _plan(tmp_path, slots=CPU)
    password = (tmp_path / "broker-password").read_text()
    processes = {p.name: p for stage in made.stages for p in stage}
    with_it = {n for n, p in processes.items() if password in str(p.environment)}
    assert with_it == {"api", "w1", "w2", "projector"}
    assert not [p for p in processes.values() if password in str(p.command)]


def test_processes_reach_each_other_at_a_concrete_address(tmp_path: Path) -> None:
    options = Options(data_dir=tmp_path, host="0.0.0.0")
    made = plan.build_plan(
        options, slots=CPU, threads=1, token="t", broker_binary=Path("/valkey-server"), environ={}
    )
    assert made.api_url == "http://127.0.0.1:8500"
    api = made.stages[1][0]
    assert re.search(r"--host 0\.0\.0\.0 --port 8500", " ".join(api.command))


def test_alerts_lead_to_the_dashboard_unless_an_address_is_set(tmp_path: Path) -> None:
    api = _plan(tmp_path, slots=CPU, LOSSBOARD_BASE_PATH="/lb").stages[1][0]
    assert api.environment["LOSSBOARD_PUBLIC_URL"] == "http://127.0.0.1:8501/lb"
    api = _plan(tmp_path, slots=CPU, LOSSBOARD_PUBLIC_URL="https://b.org").stages[1][0]
    assert api.environment["LOSSBOARD_PUBLIC_URL"] == "https://b.org"


def test_data_sets_are_in_the_data_folder_by_default(tmp_path: Path) -> None:
    def datasets_dir(given: str) -> str:
        made = _plan(tmp_path, slots=CPU, LOSSBOARD_DATASETS_DIR=given)
        return made.stages[-1][0].environment["LOSSBOARD_DATASETS_DIR"]

    assert datasets_dir("") == str(tmp_path / "datasets")
    assert datasets_dir("/sets") == "/sets"
    assert datasets_dir("sets") == str(Path.cwd() / "sets")

"""The bundled broker: its password, its configuration in folders with any name, its port."""

import asyncio
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis

from launcher.machine import Port, broker_binary, port_problem
from launcher.processes import broker
from tests.support.waiting import until

ODD = 'a%20b?[c]*#d e\u00e9"x\\'


@contextmanager
def _running(data: Path, port: int, secret: str) -> Iterator[subprocess.Popen[bytes]]:
    config = broker.write_config(data, port, secret)
    command = [str(broker_binary()), broker.path_argument(config)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        try:
            ready = broker.probe(port, secret, 2.0)
            until(lambda: asyncio.run(ready()), "the broker", timeout=10)
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("name", ["plain", "back\\slash", ODD])
def test_the_broker_takes_its_password_only_and_keeps_its_files_in_its_folder(
    tmp_path: Path, name: str
) -> None:
    data = tmp_path / name
    data.mkdir()
    secret, port = broker.password(data), broker.free_port()
    with _running(data, port, secret):
        with redis.Redis.from_url(broker.url(port, secret)) as client:
            assert client.config_get("appendfsync") == {"appendfsync": "everysec"}
            assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
            assert client.config_get("bind") == {"bind": "127.0.0.1"}
        for stranger in (f"redis://127.0.0.1:{port}", f"redis://:{secret}x@127.0.0.1:{port}"):
            with (
                redis.Redis.from_url(stranger) as client,
                pytest.raises(redis.AuthenticationError),
            ):
                client.ping()
        assert not asyncio.run(broker.probe(port, "another", 2.0)())
    assert (data / "broker" / "appendonlydir").is_dir()
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_the_password_is_kept_and_its_files_are_the_owners(tmp_path: Path) -> None:
    secret = broker.password(tmp_path)
    assert len(secret) >= 40
    assert broker.password(tmp_path) == secret
    config = broker.write_config(tmp_path, 9000, secret)
    for path in (config, tmp_path / broker.PASSWORD_FILE):
        assert path.stat().st_mode & 0o777 == 0o600
    assert broker.write_config(tmp_path, 9001, secret).read_text().count("port") == 1


def test_a_free_port_can_be_listened_on() -> None:
    port = broker.free_port()
    assert port in broker.PORTS
    assert port_problem(Port("broker", broker.HOST, port, "")) is None


def test_nothing_answers_no_probe() -> None:
    assert not asyncio.run(broker.probe(broker.free_port(), "secret", 1.0)())

"""docker-compose.yml and Dockerfile, without a container engine: the very commands, environment and health checks run as local processes."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
import yaml

from api.keys import KeyFile
from tests.service.stack import PATIENCE, ROOT, wait_for
from workers.embedded import redis_binary
from workers.processes import die_with_parent
from workers.sealing import new_key

COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES = COMPOSE["services"]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]


@pytest.mark.parametrize("name", ["redis", "worker", "api"])
def test_every_container_is_confined_and_watched(name):
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert not service["user"].startswith(("0", "root"))
    assert service["healthcheck"]["test"]
    assert not service.get("privileged")


def test_only_the_api_can_be_reached_and_from_this_machine_only():
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["api"]
    assert all(port.startswith("127.0.0.1:") for port in SERVICES["api"]["ports"])


def test_secrets_come_from_the_environment():
    text = (ROOT / "docker-compose.yml").read_text()
    assert "--requirepass" in SERVICES["redis"]["command"]
    assert re.findall(r"(?:PASSWORD|KEYS)\w*:-", text) == []  # no default that would stay


@pytest.mark.service
def test_its_commands_run_and_are_healthy(tmp_path):
    port, redis_port = free_port(), free_port()
    values = {"REDIS_PASSWORD": "pass", "ELIGO_ENCRYPTION_KEYS": new_key(), "ELIGO_PROCESSES": "1"}
    places = {"@redis:6379": f"@127.0.0.1:{redis_port}", "/tmp/alive": str(tmp_path / "alive"), "/data": str(tmp_path / "data"), "8000": str(port)}
    bins = f"{Path(sys.executable).parent}:{Path(redis_binary()).parent}"
    parent = os.getpid()

    def here(text: object) -> str:
        """As it would be in the container: variables filled in, the container's places made ours."""
        filled = re.sub(r"\$\{(\w+)(?::[-?]([^}]*))?\}", lambda m: values.get(m[1]) or m[2], str(text))
        for there, ours in places.items():
            filled = filled.replace(there, ours)
        return filled

    def environment(service: dict) -> dict[str, str]:
        return {"PATH": f"{bins}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT), **{k: here(v) for k, v in service.get("environment", {}).items()}}

    def run(name: str, *more: str) -> subprocess.Popen[bytes]:
        with open(tmp_path / f"{name}.log", "wb") as log:
            command = [here(part) for part in SERVICES[name]["command"]]
            return subprocess.Popen(
                [*command, *more], env=environment(SERVICES[name]), cwd=tmp_path, stdout=log, stderr=log, preexec_fn=lambda: die_with_parent(signal.SIGKILL, parent)
            )

    def healthy(name: str) -> bool:
        kind, *test = SERVICES[name]["healthcheck"]["test"]
        test = [here(part).replace("redis-cli", f"redis-cli -p {redis_port}") for part in test]
        return subprocess.run(test[0] if kind == "CMD-SHELL" else test, shell=kind == "CMD-SHELL", env=environment(SERVICES[name]), capture_output=True).returncode == 0

    (tmp_path / "data").mkdir()
    children = [run("redis", "--port", str(redis_port))]
    try:
        wait_for(lambda: healthy("redis"), "redis")
        refused = run("api")
        assert refused.wait(PATIENCE) == 2
        assert "eligo keys create" in (tmp_path / "api.log").read_text()
        key = KeyFile(tmp_path / "data" / "api-keys.json").create("test", "default", ("submit", "read"))
        children += [run("worker"), run("api")]
        wait_for(lambda: healthy("api"), "api")
        wait_for(lambda: healthy("worker"), "worker")
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers={"Authorization": f"Bearer {key}"}, trust_env=False, timeout=PATIENCE) as client:
            location = client.post("/api/v1/matches", json={"note": "62-year-old man with myeloma. ECOG 1."}).headers["location"]
            assert client.get(location, params={"wait": 20}).json()["state"] == "done"
        for child in reversed(children):
            child.terminate()
            child.wait(PATIENCE)
    finally:
        for child in children:
            child.kill()
            child.wait()


def test_the_image_is_built_by_the_steps_of_make_setup():
    makefile, dockerfile = (ROOT / "Makefile").read_text(), (ROOT / "Dockerfile").read_text()
    steps = [
        re.sub(r"dev\.txt", "runtime.txt", " ".join(step.split()))  # the image has no test tools
        for step in re.findall(r"^\t@(\.venv/bin/pip install .*|python3 -m venv \.venv)", makefile, re.M)
    ]
    assert len(steps) == 3
    flat = " ".join(dockerfile.replace("\\\n", " ").replace("--no-cache-dir ", "").split())
    for step in steps:
        assert step in flat
    assert re.search(r"^USER eligo", dockerfile, re.M)
    for folder in ("models", "matcher", "workers", "api"):
        assert f"COPY {folder} {folder}" in dockerfile

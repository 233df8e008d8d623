"""The ways to a Redis of one's own: TLS with a private authority, Sentinel with a failover, and what 202 means to each version's disk."""

from __future__ import annotations

import datetime
import ipaddress
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
import redis
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.service.stack import NOTE, Stack, wait_for
from tests.service.test_compose import free_port
from workers.connection import connect
from workers.embedded import redis_binary
from workers.processes import die_with_parent
from workers.sealing import load_sealer, new_key
from workers.settings import Settings
from workers.store import Store, Submission

pytestmark = pytest.mark.service

DURABLE = ("--appendonly", "yes", "--appendfsync", "always", "--save", "")


@pytest.fixture
def start(tmp_path) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Starts redis-server with these arguments in a folder of its own; all end with the test."""
    children: list[subprocess.Popen[bytes]] = []

    def run(*arguments: str) -> subprocess.Popen[bytes]:
        folder, parent = tmp_path / f"redis-{len(children)}", os.getpid()
        folder.mkdir()
        child = subprocess.Popen([redis_binary(), *arguments], cwd=folder, stdout=subprocess.DEVNULL, preexec_fn=lambda: die_with_parent(signal.SIGKILL, parent))
        children.append(child)
        return child

    yield run
    for child in children:
        child.kill()
        child.wait()


def answers(client: redis.Redis) -> None:
    def pong() -> bool:
        try:
            return bool(client.ping())
        except redis.RedisError:
            return False

    wait_for(pong, "redis")


def on(folder: Path, url: str, **settings: object) -> Stack:
    return Stack(folder, url=url, bundled_trials=False, processes=1, encryption_keys=new_key(), **settings)


def matched(client: httpx.Client) -> str:
    location = client.post("/api/v1/matches", json={"note": NOTE}).headers["location"]
    return client.get(location, params={"wait": 30}).json()["state"]


def certify(folder: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 and its key; it is its own authority."""
    key, name, now = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")]), datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1)).not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    (folder / "tls.crt").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "tls.key").write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    return folder / "tls.crt", folder / "tls.key"


@pytest.fixture
def tls(tmp_path, start) -> str:
    """The URL of a Redis that speaks TLS only and wants a password; `?ssl_ca_certs=` is left to the test."""
    certificate, key = certify(tmp_path)
    port = free_port()
    child = start("--port", "0", "--tls-port", str(port), "--tls-cert-file", str(certificate), "--tls-key-file", str(key), "--tls-auth-clients", "no", "--requirepass", "pass", *DURABLE)
    url = f"rediss://:pass@127.0.0.1:{port}/0"
    client = redis.Redis.from_url(url, ssl_ca_certs=str(certificate))
    try:
        answers(client)
    except AssertionError:
        if child.poll() is not None:
            pytest.skip("this redis-server was built without TLS")
        raise
    return url


def test_over_tls_with_the_authority_that_the_url_names(tmp_path, tls):
    with on(tmp_path / "data", f"{tls}?ssl_ca_certs={tmp_path / 'tls.crt'}") as stack:
        stack.start_worker()
        client = stack.start_api()
        stack.ready(client)
        assert matched(client) == "done"


def test_a_certificate_of_an_unknown_authority_is_not_believed(tmp_path, tls):
    with pytest.raises(redis.ConnectionError, match="certificate"):
        connect(Settings(data_dir=tmp_path).model_copy(update={"redis_url": tls})).ping()


def test_sentinel_leads_to_the_master_also_after_a_failover(tmp_path, start):
    master_port, replica_port, sentinel_port = free_port(), free_port(), free_port()
    master = start("--port", str(master_port), *DURABLE)
    start("--port", str(replica_port), "--replicaof", "127.0.0.1", str(master_port), *DURABLE)
    replica = redis.Redis(port=replica_port)
    answers(replica)
    wait_for(lambda: replica.info("replication")["master_link_status"] == "up", "replication")
    conf = tmp_path / "sentinel.conf"
    conf.write_text(
        f"port {sentinel_port}\nsentinel monitor mymaster 127.0.0.1 {master_port} 1\nsentinel down-after-milliseconds mymaster 500\nsentinel failover-timeout mymaster 5000\n"
    )
    start(str(conf), "--sentinel")
    sentinel = redis.Redis(port=sentinel_port, decode_responses=True)
    answers(sentinel)
    wait_for(lambda: sentinel.sentinel_master("mymaster")["num-slaves"] == 1, "the sentinel's view")
    with on(tmp_path / "data", f"sentinel://127.0.0.1:{free_port()};sentinel://127.0.0.1:{sentinel_port}", sentinel_master="mymaster") as stack:
        stack.start_worker()
        client = stack.start_api()
        stack.ready(client)
        assert matched(client) == "done"
        master.kill()
        master.wait()
        wait_for(lambda: replica.info("replication")["role"] == "master", "the failover")
        wait_for(lambda: client.post("/api/v1/matches", json={"note": NOTE}).status_code == 202, "a submission after it")
        stack.ready(client)
        assert matched(client) == "done"


def durable(folder: Path, port: int) -> tuple[bool, redis.Redis]:
    """Whether one submission was followed by WAITAOF, and a client to look with."""
    settings = Settings(data_dir=folder, encryption_keys=new_key()).model_copy(update={"redis_url": f"redis://127.0.0.1:{port}/0"})
    client = connect(settings)
    answers(client)
    Store(client, load_sealer(settings), settings).submit(Submission("match", "t", {}, {"note_id": "n", "note": "x"}))
    return "cmdstat_waitaof" in client.info("commandstats"), client


@pytest.mark.parametrize("fsync", ["always", "everysec"])
def test_from_redis_7_2_on_a_submission_waits_for_the_disk_before_that_always_must(tmp_path, start, capsys, fsync):
    port = free_port()
    start("--port", str(port), "--appendonly", "yes", "--appendfsync", fsync, "--save", "")
    waited, client = durable(tmp_path, port)
    has_waitaof = tuple(int(part) for part in client.info("server")["redis_version"].split(".")[:2]) >= (7, 2)
    assert waited is has_waitaof
    assert ("redis_not_durable" in capsys.readouterr().out) is (not has_waitaof and fsync == "everysec")


def test_a_redis_without_an_append_only_file_is_warned_of(tmp_path, start, capsys):
    port = free_port()
    start("--port", str(port), "--appendonly", "no", "--save", "")
    assert durable(tmp_path, port)[0] is False
    assert "redis_not_durable" in capsys.readouterr().out

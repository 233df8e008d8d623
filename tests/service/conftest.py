from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.service.stack import Stack, wait_for


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if {"stack", "client", "fresh"} & set(getattr(item, "fixturenames", ())):
            item.add_marker("service")


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """One service for the tests that do not break it."""
    with Stack(tmp_path_factory.mktemp("service")) as running:
        running.start_redis()
        running.start_worker("tests.service.poisoned")
        running.ready(running.start_api())
        yield running


@pytest.fixture
def client(stack: Stack) -> Iterator[httpx.Client]:
    with stack.client() as client:
        yield client


@pytest.fixture(scope="session")
def _breakable(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with Stack(tmp_path_factory.mktemp("breakable"), bundled_trials=False) as running:
        running.start_redis()
        running.start_api()
        yield running


@pytest.fixture
def fresh(_breakable: Stack) -> Iterator[Stack]:
    """Redis, empty, and the API, with one small trial, to break; a test starts the workers it needs."""
    client, redis = _breakable.client(), _breakable.store().redis
    wait_for(lambda: client.get("/health/live").status_code == 200, "the API")
    redis.config_set("maxmemory", 0)
    redis.flushall()
    _breakable.log.write_bytes(b"")
    yield _breakable
    _breakable.stop_workers()

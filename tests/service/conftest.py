from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.service.stack import Stack


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


@pytest.fixture
def fresh(tmp_path) -> Iterator[Stack]:
    """A service of the test's own, with one small trial, to break; it starts the parts it needs."""
    with Stack(tmp_path, bundled_trials=False) as own:
        yield own

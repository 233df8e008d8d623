"""The arrows of the house point one way, and each room shows only its own door."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = {"models": {"models"}, "matcher": {"matcher", "models"}, "workers": {"workers", "matcher", "models"}, "api": {"api", "workers", "matcher", "models"}}
TRAINING = {"models", "matcher"}  # the one part of models that may read notes, and that nothing imports
MACHINE = {"os", "socket", "subprocess", "time", "random", "celery", "redis", "fastapi", "httpx", "requests", "urllib"}


def modules(room):
    return sorted(p for p in (ROOT / room).rglob("*.py"))


def imported(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


@pytest.mark.parametrize("room", ROOMS)
def test_imports_go_one_way(room):
    for path in modules(room):
        allowed = TRAINING if "training" in path.parts else ROOMS[room]
        ours = {name.split(".")[0] for name in imported(path)} & ROOMS.keys()
        assert ours <= allowed, f"{path.relative_to(ROOT)} imports {sorted(ours - allowed)}"


def test_nothing_imports_the_training():
    for room in ROOMS:
        for path in modules(room):
            if "training" not in path.parts:
                assert not [name for name in imported(path) if "training" in name], path


def test_the_shared_language_imports_nothing_of_ours():
    assert not {name.split(".")[0] for name in imported(ROOT / "matcher" / "domain.py")} & ROOMS.keys()


def test_the_library_has_no_network_queue_clock_or_environment():
    for path in modules("matcher"):
        assert not {name.split(".")[0] for name in imported(path)} & MACHINE, path
        clock = [n for n in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(n, ast.Attribute) and n.attr in ("today", "now", "utcnow") and isinstance(n.value, ast.Name) and n.value.id in ("date", "datetime")]
        assert not clock, path

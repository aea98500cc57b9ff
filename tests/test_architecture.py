"""The import arrows: who may import whom, and where sockets, SQL and event loops may be known."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
BASE = {"errors", "telemetry", "clock"}
PURE = {"smpp", "sms", "errors"}

#: room -> what it may import of smppgw: rooms, or single modules of a room. The order is that of the arrows.
ALLOWED: dict[str, set[str]] = {
    "errors": set(),
    "clock": {"errors"},
    "telemetry": {"errors"},
    "bridge": {"errors", "telemetry"},
    "smpp": {"errors"},
    "sms": {"errors"},
    "addresses": PURE,
    "config": {"addresses", *PURE},
    "routing": {"config", "addresses", "errors"},
    "queue": {"addresses", "bridge", "config", *PURE, *BASE},
    "binds": {"queue.model", "addresses", "config", *PURE, *BASE},
    "api": {"queue.model", "binds.status", "routing", "addresses", "config", *PURE, *BASE},
    "daemon": {"api", "queue", "binds", "bridge", "config", *BASE},
    "cli": {"daemon", "api", "config", "addresses", *BASE},
    "simulator": {"smpp", "sms", "errors", "clock"},
}
#: modules from outside -> the only rooms that may import them.
GUARDED: dict[str, set[str]] = {
    "sqlite3": {"queue"},
    "aiosqlite": {"queue"},
    "socket": {"binds", "api", "simulator"},
    "trio": {"clock", "queue", "binds", "daemon", "simulator"},
    "asyncio": {"bridge", "queue", "api"},
    "trio_asyncio": {"bridge"},
    "anyio": {"api", "simulator"},
    "sniffio": {"simulator"},
    "pytest": {"simulator"},  # only its pytest_plugin: see tests/simulator/test_pytest_plugin.py
    "uvicorn": {"api"},
    "fastapi": {"api"},
    "starlette": {"api"},
    "httpx": {"cli"},
    "h11": {"simulator"},
    "http": {"simulator"},
    "click": {"cli", "simulator"},
    "rich": {"cli", "simulator"},
    "phonenumbers": {"addresses", "config"},
    "regex": {"sms", "simulator"},
    "anyascii": {"sms"},
    "pydantic": {"config", "api", "cli"},
    "prometheus_client": {"telemetry", "simulator"},
    "smpplib": {"smpp"},
    "time": {"clock", "queue", "api", "cli", "simulator"},
    "logging": {"bridge", "telemetry", "queue", "binds", "api", "daemon", "cli", "simulator"},
}


def modules() -> Iterator[tuple[str, str, Path]]:
    """(room, dotted name, file) of every module."""
    for package in ("smppgw", "simulator"):
        for file in sorted((ROOT / package).rglob("*.py")):
            parts = file.relative_to(ROOT).with_suffix("").parts
            name = ".".join(part for part in parts if part != "__init__")
            room = package if package == "simulator" or len(parts) < 2 else parts[1]
            yield room, name, file


def imports(file: Path) -> Iterator[str]:
    """Every module that the file imports at run time; `from a import b` gives a.b as well."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    typing_only = {
        node
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and "TYPE_CHECKING" in ast.unparse(block.test)
        for node in ast.walk(block)
    }
    for node in ast.walk(tree):
        if node in typing_only:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


MODULES = [(room, name, file) for room, name, file in modules() if name not in ("smppgw", "smppgw.__main__")]


@pytest.mark.parametrize(("room", "name", "file"), MODULES, ids=[name for _, name, _ in MODULES])
def test_arrows_point_one_way(room: str, name: str, file: Path) -> None:
    for imported in imports(file):
        parts = imported.split(".")
        if parts[0] == "simulator":
            assert room == "simulator", f"{name} imports {imported}"
        if parts[0] != "smppgw" or (room != "simulator" and parts[1] == room):
            continue
        wanted = {parts[1], ".".join(parts[1:3])}
        assert wanted & ALLOWED[room], f"{name} imports {imported}; {room} may import {sorted(ALLOWED[room])}"


@pytest.mark.parametrize(("room", "name", "file"), MODULES, ids=[name for _, name, _ in MODULES])
def test_what_is_guarded_stays_in_its_rooms(room: str, name: str, file: Path) -> None:
    for imported in imports(file):
        rooms = GUARDED.get(imported.split(".")[0])
        assert rooms is None or room in rooms, f"{name} imports {imported}; only {sorted(rooms or ())} may"


def test_the_arrows_have_no_circle() -> None:
    seen: set[str] = set()
    for room, targets in ALLOWED.items():
        assert {target.split(".")[0] for target in targets} <= seen, f"{room} points to a room listed after it"
        seen.add(room)


def test_the_pure_rooms_know_only_smpplibs_constants() -> None:
    for room, name, file in MODULES:
        for imported in imports(file):
            if imported.startswith("smpplib"):
                assert room == "smpp"
                assert imported.startswith("smpplib.consts"), f"{name} imports {imported}"

"""The house keeps its shape: names of files, docstrings, who imports whom, short entry points."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from vigil.settings import ROOT

PACKAGE = ROOT / "vigil"
ROOMS = sorted(p.name for p in PACKAGE.iterdir() if p.is_dir() and any(p.glob("*.py")))
FILES = {"__init__", "model", "store", "scan", "work", "views", "cli"}
OUTER = {"views", "scan", "work", "cli"}
"""What a room never takes from another."""
TABLES = {"vigil.cli", "vigil.run", "vigil.maintenance", "vigil.__main__"}
"""Not ground floor: they join the rooms, as app.py, scanner.py and renderer.py do."""
ENTRY_POINTS = ("app.py", "scanner.py", "renderer.py")
LONGEST_ENTRY_POINT = 90


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def modules() -> list[Path]:
    return sorted(p for p in PACKAGE.rglob("*.py"))


def imports(path: Path) -> set[str]:
    """Names of our modules that a file imports, wherever in the file, types included."""
    known = {module_name(p) for p in modules()} | {"db_utils"}
    found = set()
    for node in ast.walk(tree(path)):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        for name in names:
            while name and name not in known:
                name = name.rpartition(".")[0]
            if name and name != "vigil":
                found.add(name)
    return found


def room_of(module: str) -> str | None:
    parts = module.split(".")
    return parts[1] if len(parts) > 1 and parts[1] in ROOMS else None


def test_there_are_rooms() -> None:
    assert set(ROOMS) >= {"streams", "cameras", "films", "jobs", "sources", "site", "admin"}


@pytest.mark.parametrize("path", modules(), ids=module_name)
def test_every_file_says_what_it_is(path: Path) -> None:
    assert ast.get_docstring(tree(path)), f"{path.relative_to(ROOT)} has no docstring"


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_has_the_usual_files_and_names_the_others(room: str) -> None:
    told = ast.get_docstring(tree(PACKAGE / room / "__init__.py")) or ""
    names = {p.stem for p in (PACKAGE / room).glob("*.py")}
    if room == "sources":  # one file for each kind of thing that can be looked at
        names -= {name for name in names if has_kind(PACKAGE / room / f"{name}.py")}
    unnamed = {n for n in names - FILES if not re.search(rf"\b{n}(\.py)?\b", told)}
    assert not unnamed, f"vigil/{room}/__init__.py does not say what {sorted(unnamed)} are for"


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_has_tests(room: str) -> None:
    assert list((ROOT / "tests" / room).glob("test_*.py"))


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_that_has_pages_is_in_the_application(room: str) -> None:
    if (PACKAGE / room / "views.py").exists():
        assert f"vigil.{room}.views.bp" in (ROOT / "app.py").read_text()


@pytest.mark.parametrize("path", modules(), ids=module_name)
def test_imports_go_one_way(path: Path) -> None:
    module = module_name(path)
    mine = room_of(module)
    for other in imports(path):
        theirs = room_of(other)
        last = other.rpartition(".")[2]
        assert other not in TABLES or module in TABLES, f"{module} imports {other}"
        if theirs is None or module in TABLES:
            continue
        assert mine is not None, f"{module} is ground floor and imports {other}"
        if theirs != mine:
            assert last not in OUTER, f"{module} imports {other}, which is the other room's own"
        if module.endswith((".model", ".store")):
            assert last not in OUTER, f"{module} imports {other}"
        if module.endswith(".model"):
            assert last in ("model", "options", theirs), f"{module} imports {other}"
        if module.endswith(".store") and theirs != mine:
            assert last in ("model", "store", theirs), f"{module} imports {other}"


def has_kind(path: Path) -> bool:
    return any(
        isinstance(target, ast.Name) and target.id == "KIND"
        for node in tree(path).body
        if isinstance(node, ast.Assign | ast.AnnAssign)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
    )


def adapters() -> list[Path]:
    return sorted(p for p in (PACKAGE / "sources").glob("*.py") if has_kind(p))


def test_the_known_adapters_are_there() -> None:
    assert {p.stem for p in adapters()} >= {
        "twitch",
        "owncast",
        "peertube",
        "camera_http",
        "camera_ffmpeg",
        "camera_testcard",
    }


@pytest.mark.parametrize("path", adapters(), ids=lambda p: p.stem)
def test_an_adapter_is_listed_tested_and_explained(path: Path) -> None:
    assert re.search(rf"\b{path.stem}\.KIND\b", (PACKAGE / "sources" / "kinds.py").read_text())
    test = ROOT / "tests" / "sources" / f"test_{path.stem}.py"
    assert "def test_" in test.read_text(), f"{test.relative_to(ROOT)} holds no test"
    assert len(ast.get_docstring(tree(path)) or "") > 40


@pytest.mark.parametrize("name", ENTRY_POINTS)
def test_an_entry_point_is_a_table_of_contents(name: str) -> None:
    path = ROOT / name
    lines = [line for line in path.read_text().splitlines() if line.strip()]
    assert len(lines) <= LONGEST_ENTRY_POINT
    assert ast.get_docstring(tree(path))


@pytest.mark.parametrize("path", modules(), ids=module_name)
def test_no_file_is_a_cellar(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 420, "split it along what a person would name"


def test_the_clock_is_passed_in() -> None:
    """Only clock.py asks for the time; log.py stamps lines, storage.py compares files' times."""
    asks = re.compile(r"datetime\.(now|utcnow)\(|\btime\.time\(")
    allowed = {"vigil.clock", "vigil.log", "vigil.storage"}
    for path in modules():
        if module_name(path) not in allowed:
            assert not asks.search(path.read_text()), (
                f"{module_name(path)} asks for the time itself"
            )


def test_the_outside_is_reached_through_the_seams_only() -> None:
    ways = {
        "aiohttp": {"vigil.fetch", "vigil.addresses", "vigil.answers"},
        "subprocess": {"vigil.ffmpeg", "vigil.cli", "vigil.run", "vigil.postgres"},
        "obstore": {"vigil.storage", "vigil.buckets"},
        "imageio_ffmpeg": {"vigil.ffmpeg"},
        "requests": set(),
        # the agent runs elsewhere, with the standard library alone
        "urllib.request": {"vigil.agent.site", "vigil.agent.drivers"},
    }
    for path in modules():
        names = set()
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                names.add(node.module)
        for way, allowed in ways.items():
            if any(name == way or name.startswith(way + ".") for name in names):
                assert module_name(path) in allowed, f"{module_name(path)} imports {way}"

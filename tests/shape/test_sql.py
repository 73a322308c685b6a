"""SQL stands in store.py only, and its text never depends on what it is about."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from vigil.settings import ROOT

STATEMENT = re.compile(
    r"^\s*(SELECT\s|WITH\s+\w+\s+AS|INSERT\s+INTO\s|UPDATE\s+\w+\s+SET|DELETE\s+FROM\s"
    r"|LOCK\s+TABLE|COPY\s+\w+\s|CREATE\s|ALTER\s|DROP\s|TRUNCATE\s|NOTIFY\s|LISTEN\s)",
    re.I,
)
EXCEPTIONS = {
    "db_utils.py": "applies the migrations and keeps their list",
    "vigil/events.py": "NOTIFY is the seam itself",
    "vigil/loop.py": "advisory locks are the leases",
    "vigil/marking.py": "asks which blob store is the database's, before any room does anything",
    "vigil/postgres.py": "starts the embedded server and makes its database",
}


def files() -> list[Path]:
    top = [ROOT / name for name in ("app.py", "scanner.py", "renderer.py", "db_utils.py")]
    return [*top, *sorted((ROOT / "vigil").rglob("*.py"))]


def docstrings(tree: ast.Module) -> set[int]:
    return {
        id(node.value)
        for parent in ast.walk(tree)
        if isinstance(parent, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        for node in parent.body
        if isinstance(node, ast.Expr)
    }


def statements(path: Path) -> list[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    prose = docstrings(tree)
    return [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and id(node) not in prose
        and STATEMENT.match(node.value)
    ]


@pytest.mark.parametrize("path", files(), ids=lambda p: str(p.relative_to(ROOT)))
def test_sql_stands_in_stores(path: Path) -> None:
    name = str(path.relative_to(ROOT))
    found = statements(path)
    if path.name == "store.py":
        assert found, f"{name} holds no SQL"
    elif name not in EXCEPTIONS:
        assert not found, f"{name}: {found[0].strip().splitlines()[0]} … belongs into a store.py"


def test_every_exception_is_needed() -> None:
    for name in EXCEPTIONS:
        path = ROOT / name
        assert not path.exists() or statements(path), f"{name} holds no SQL any more"


@pytest.mark.parametrize("path", files(), ids=lambda p: str(p.relative_to(ROOT)))
def test_sql_is_static(path: Path) -> None:
    """No statement is put together while running: an f-string may take in constants only."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        where = f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}"
        if isinstance(node, ast.JoinedStr):
            if begins_statement(node.values[0] if node.values else None):
                for value in node.values:
                    if isinstance(value, ast.FormattedValue):
                        assert is_constant(value.value), f"{where}: {ast.unparse(value.value)}"
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Mod):
            assert not begins_statement(node.left), f"{where}: SQL put together"
        elif isinstance(node, ast.Attribute) and node.attr in ("format", "replace", "join"):
            assert not begins_statement(node.value), f"{where}: SQL put together"


def begins_statement(node: ast.expr | None) -> bool:
    return (
        isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and STATEMENT.match(node.value) is not None
    )


def is_constant(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id.isupper()


def test_the_finder_finds() -> None:
    assert STATEMENT.match("\n    SELECT 1")
    assert STATEMENT.match("update films set state = 'done'")
    assert not STATEMENT.match("Updated films")

"""Every setting can be found: in etc/example.env, in the README, with a line of explanation."""

from __future__ import annotations

import ast
import re
from dataclasses import fields

import pytest

from vigil import settings
from vigil.settings import ROOT, Settings, variable

NAMES = [variable(field.name) for field in fields(Settings)]
EXAMPLE = (ROOT / "etc" / "example.env").read_text()
README = (ROOT / "README.md").read_text()


@pytest.mark.parametrize("name", NAMES)
def test_a_setting_is_in_the_example_and_in_the_readme(name: str) -> None:
    assert re.search(rf"^#?\s*{name}=", EXAMPLE, re.M), f"etc/example.env lacks {name}"
    assert re.search(rf"\b{name}\b", README), f"README.md lacks {name}"


@pytest.mark.parametrize("text", [EXAMPLE, README], ids=["example.env", "README"])
def test_no_other_setting_is_told_of(text: str) -> None:
    found = set(re.findall(r"\bVIGIL_[A-Z][A-Z_]*[A-Z]\b", text)) - {"VIGIL_TEST_DATABASE_URL"}
    assert {name.removesuffix("_FILE") for name in found} <= set(NAMES)


def test_the_example_can_be_used_as_it_is() -> None:
    """Each line, also those that are commented out, is a value that would be taken."""
    values = dict(re.findall(r"^#?\s*(VIGIL_[A-Z_]+)=(.*)$", EXAMPLE, re.M))
    for name, value in values.items():
        if not name.endswith("_FILE"):
            field = next(f for f in fields(Settings) if variable(f.name) == name)
            if value.strip():
                field.metadata["parse"](value.strip())
    uncommented = dict(re.findall(r"^(VIGIL_[A-Z_]+)=(.*)$", EXAMPLE, re.M))
    assert settings.load(uncommented) == settings.load({}), "what it sets is what is set anyway"


def test_a_setting_is_explained_where_it_is_made() -> None:
    tree = ast.parse((ROOT / "vigil" / "settings.py").read_text())
    [cls] = [n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == "Settings"]
    told, last = set(), ""
    for node in cls.body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            last = node.target.id
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            told.add(last)
    names = {field.name for field in fields(Settings)}
    plain = {name for name in names if re.match(r"(twitch|owncast|peertube)_", name)}
    assert names - told <= plain

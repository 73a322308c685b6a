"""Templates keep to the Content-Security-Policy, compile, and guard every form."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from vigil import responses
from vigil.settings import ROOT

TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
MODULES = sorted((ROOT / "static" / "js").glob("*.js"))
NO_PAGES = {"base.html", "macros.html"}
NO_TOKEN = {"templates/admin/enter.html": "nobody is signed in yet; the key in it is the proof"}
OWN_HTML = {"jobs.js": "puts in pieces of our own pages, which the server has escaped"}


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def is_part(path: Path) -> bool:
    """Whether it is no page of its own: other templates include it."""
    included = f'include "{path.relative_to(ROOT / "templates")}"'
    return path.name in NO_PAGES or any(included in other.read_text() for other in TEMPLATES)


@pytest.mark.parametrize("path", TEMPLATES, ids=name)
def test_a_template_compiles(path: Path) -> None:
    responses.environment().get_template(str(path.relative_to(ROOT / "templates")))


@pytest.mark.parametrize("path", TEMPLATES, ids=name)
def test_a_template_keeps_to_the_policy(path: Path) -> None:
    text = path.read_text()
    assert not re.search(r"\sstyle\s*=", text), "an inline style"
    assert not re.search(r"\son[a-z]+\s*=\s*[\"']", text), "an inline handler"
    assert not re.search(r"<style\b", text), "styles belong into static/css/site.css"
    assert not re.search(r"javascript:", text, re.I)
    assert "|safe" not in text.replace(" ", ""), "unescaped text"
    assert "autoescape" not in text
    for script in re.findall(r"<script\b[^>]*>", text):
        assert 'nonce="{{ nonce }}"' in script, f"without nonce: {script}"
    assert not re.search(r"<script\b[^>]*src=\"https?:", text), "a script of somebody else"
    assert not re.search(r"<link\b[^>]*href=\"https?:", text), "a style of somebody else"


@pytest.mark.parametrize("path", TEMPLATES, ids=name)
def test_every_posting_form_carries_the_token(path: Path) -> None:
    text = path.read_text()
    if name(path) in NO_TOKEN:
        return
    for form in re.findall(r"<form\b[^>]*method=\"post\".*?</form>", text, re.S | re.I):
        assert "csrf_field(" in form, form.splitlines()[0]


@pytest.mark.parametrize("path", TEMPLATES, ids=name)
def test_every_picture_has_words(path: Path) -> None:
    for tag in re.findall(r"<img\b[^>]*>", path.read_text()):
        assert re.search(r"\balt=", tag), tag


@pytest.mark.parametrize("path", [p for p in TEMPLATES if not is_part(p)], ids=name)
def test_a_page_stands_in_the_frame(path: Path) -> None:
    text = path.read_text()
    if "{% macro" in text and "{% block" not in text:
        return  # a room's macros
    assert '{% extends "base.html" %}' in text
    assert "{% block title %}" in text
    assert "{% block main %}" in text


@pytest.mark.parametrize("path", TEMPLATES, ids=name)
def test_static_files_that_are_named_are_there(path: Path) -> None:
    text = path.read_text()
    for file in re.findall(r"static\('([^'{]+)'\)|\"/static/([^\"?{]+)\"", text):
        assert (ROOT / "static" / (file[0] or file[1])).is_file(), file


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_a_module_makes_no_html_of_text(path: Path) -> None:
    """Text from outside reaches a page as text: no innerHTML, no eval, no inline styles."""
    text = path.read_text()
    if path.name in OWN_HTML:
        text = text.replace("template.innerHTML = html.trim()", "")
    bad = r"\.innerHTML\s*[+]?=|insertAdjacentHTML|document\.write|\beval\(|new Function\("
    assert not re.search(bad, text)
    assert not re.search(r"setAttribute\(\s*[\"']style", text)
    for file in re.findall(r"from \"(\./[^\"]+)\"", text):
        assert (path.parent / file).is_file(), file

"""Every picture of the documents is there, and every picture that is there is in a document."""

from __future__ import annotations

import re

from vigil.settings import ROOT

DOCUMENTS = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))


def test_pictures_are_those_that_documents_name() -> None:
    named = {
        name
        for document in DOCUMENTS
        for name in re.findall(r"screenshots/([\w-]+\.png)", document.read_text("utf-8"))
    }
    there = {path.name for path in (ROOT / "docs" / "screenshots").iterdir()}
    assert named == there

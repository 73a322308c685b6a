"""Findings for visitors and programs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TypedDict

from vigil.cameras.health.findings import KINDS
from vigil.cameras.health.model import Finding


class FindingJson(TypedDict):
    """Something that is wrong with a camera."""

    kind: str
    meaning: str
    since_at: datetime
    message: str


def findings_json(findings: Sequence[Finding]) -> list[FindingJson]:
    """What is wrong with a camera, the longest first."""
    return [
        {
            "kind": finding.kind,
            "meaning": KINDS.get(finding.kind, finding.kind),
            "since_at": finding.since_at,
            "message": finding.message,
        }
        for finding in findings
    ]

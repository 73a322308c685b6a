"""Tokens of programs, sessions of browsers, links that open one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from vigil.errors import Invalid
from vigil.settings import Settings

TOKEN, LINK, SESSION = "vigil", "enter", "session"
"""How each kind of secret begins, so that one that leaked somewhere is recognised."""


@dataclass(frozen=True, kw_only=True)
class Token:
    """A bearer token."""

    id: int
    name: str
    role: str
    created_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Session:
    """A browser that is signed in."""

    id: str
    """The first 16 hexadecimal digits of the hash of its secret."""
    role: str
    created_at: datetime
    expires_at: datetime


def well_formed(secret: str, kind: str) -> bool:
    """Whether a text can be one of our secrets at all; if not, it is no use to look it up."""
    return re.fullmatch(rf"{kind}_[A-Za-z0-9_-]{{43}}", secret) is not None


def link_address(settings: Settings, secret: str) -> str:
    """Where a browser goes with a link's secret."""
    return f"{settings.site_url}/admin/enter?key={secret}"


MESSAGE_MOST = 1000
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]+")


def message_text(text: str) -> str:
    """A message of the day, made safe to keep; raises Invalid when it is too long."""
    cleaned = _CONTROL.sub(" ", text.replace("\r\n", "\n")).strip()
    if len(cleaned) > MESSAGE_MOST:
        raise Invalid(f"a message of the day has at most {MESSAGE_MOST} characters")
    return cleaned

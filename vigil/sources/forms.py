"""The form of a source: what is filled in, and what somebody made of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from vigil.errors import Invalid
from vigil.sources import options
from vigil.sources.adding import Wanted
from vigil.sources.model import DirectoryKind, Source

OPTION = "option."
"""How the name of an option's field begins."""
FIXED = ("name", "kind", "enabled")
"""What a form cannot change."""
FORGET = "forget"
"""The fields that name secret headers to forget."""


def empty(kind: DirectoryKind) -> dict[str, str]:
    """The fields of a source that there is not yet, filled with what is usual."""
    return _options(kind.check_options({}))


def filled(source: Source) -> dict[str, str]:
    """The fields as they are for a source."""
    return {
        "name": source.name,
        "base_url": source.base_url or "",
        "interval_s": f"{source.interval_s:g}",
        "ttl_s": f"{source.ttl_s:g}",
        **_options(source.options),
    }


def wanted(given: Mapping[str, list[str]], kind: DirectoryKind, before: Source | None) -> Wanted:
    """What a form says; raises Invalid for a number that is none."""
    first = {name: values[0] for name, values in given.items() if values}
    secrets: dict[str, str | None] = dict.fromkeys(given.get(FORGET, ()))
    if first.get("secret_name", "").strip():
        secrets[first["secret_name"].strip()] = first.get("secret_value", "").strip() or None
    return Wanted(
        name=before.name if before else first.get("name", "").strip(),
        kind=kind.name,
        base_url=first.get("base_url", ""),
        options={option.name: first.get(OPTION + option.name, "").strip() for option in kind.form},
        interval_s=_seconds(first, "interval_s", before.interval_s if before else None),
        ttl_s=_seconds(first, "ttl_s", before.ttl_s if before else None),
        secrets=secrets,
        enabled=before.enabled if before else True,
    )


def changes(of: Wanted) -> dict[str, Any]:
    """The fields of it that can be changed."""
    return {one.name: getattr(of, one.name) for one in fields(of) if one.name not in FIXED}


def again(given: Mapping[str, list[str]]) -> dict[str, str]:
    """The fields as somebody left them; a secret is typed again."""
    return {name: values[0] for name, values in given.items() if values and name != "secret_value"}


def _options(chosen: Mapping[str, Any]) -> dict[str, str]:
    return {OPTION + name: options.spelled(value) for name, value in chosen.items()}


def _seconds(first: Mapping[str, str], name: str, usual: float | None) -> float | None:
    text = first.get(name, "").strip()
    try:
        return float(text) if text else usual
    except ValueError:
        raise Invalid(f"{name} is a number of seconds") from None

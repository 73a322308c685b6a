"""Lengths of time and sizes in words, for pages and the command line."""

from __future__ import annotations


def size(amount: float | None) -> str:
    """Bytes in words: 512 B, 1.5 MB."""
    if amount is None:
        return ""
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if amount < 999.5 or unit == "TB":
            whole = unit == "B" or amount >= 99.95
            return f"{amount:.0f} {unit}" if whole else f"{amount:.1f} {unit}"
        amount /= 1000
    raise AssertionError


def span(seconds: float | None) -> str:
    """A length of time in words short enough for a table: 45 s, 12 min, 3 h 20 min, 5 d."""
    if seconds is None:
        return ""
    seconds = max(0, round(seconds))
    if seconds < 90:
        return f"{seconds} s"
    minutes = seconds // 60
    if minutes < 90:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{hours // 24} d"

"""The stylesheet's colours can be read, by day and by night (WCAG 2.2, 1.4.3 and 1.4.11)."""

from __future__ import annotations

import re

import pytest

from vigil.responses import STATIC

CSS = (STATIC / "css" / "site.css").read_text()
PAIRS = [
    *(
        (ink, ground)
        for ink in ("ink", "muted", "link")
        for ground in ("paper", "surface", "sunken")
    ),
    ("ok", "ok-back"),
    ("warn", "warn-back"),
    ("bad", "bad-back"),
    ("bad", "surface"),
    ("lamp-ink", "lamp"),
]


def palette(night: bool) -> dict[str, str]:
    blocks = re.findall(r":root \{(.*?)\}", CSS, re.S)
    assert len(blocks) == 2
    found = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", blocks[0]))
    if night:
        found |= dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", blocks[1]))
    return found


def luminance(colour: str) -> float:
    def linear(part: int) -> float:
        value = part / 255
        return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4

    red, green, blue = (linear(int(colour[i : i + 2], 16)) for i in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_contrast_is_computed_as_the_standard_says() -> None:
    assert contrast("#ffffff", "#000000") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("night", [False, True])
@pytest.mark.parametrize(("ink", "ground"), PAIRS)
def test_text_stands_out(night: bool, ink: str, ground: str) -> None:
    colours = palette(night)
    assert contrast(colours[ink], colours[ground]) >= 4.5


@pytest.mark.parametrize("night", [False, True])
@pytest.mark.parametrize("ground", ["paper", "surface"])
def test_focus_and_fields_stand_out(night: bool, ground: str) -> None:
    colours = palette(night)
    assert contrast(colours["beam"], colours[ground]) >= 3
    assert contrast(colours["muted"], colours[ground]) >= 3


def test_whatever_moves_asks_first() -> None:
    """Animations stand only inside prefers-reduced-motion: no-preference."""
    calm = re.sub(
        r"@media \(prefers-reduced-motion: no-preference\) \{(?:[^{}]*\{[^{}]*\})*[^{}]*\}", "", CSS
    )
    assert "animation:" in CSS
    assert not re.search(r"\b(animation|transition):", calm)

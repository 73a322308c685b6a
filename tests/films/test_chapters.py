"""Chapters: days, months, tags; and how ffmpeg is told of them."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

from vigil import ffmpeg
from vigil.films import chapters
from vigil.films.chapters import Span
from vigil.films.timeline import Mark


def days(number: int) -> list[Mark]:
    first = date(2026, 1, 30)
    return [Mark(1000 * n, n, (first + timedelta(days=n)).isoformat()) for n in range(number)]


def test_a_chapter_for_each_day() -> None:
    found = chapters.of_days(days(3))
    assert [(mark.start, mark.name) for mark in found] == [
        (0, "30 January 2026"),
        (1000, "31 January 2026"),
        (2000, "1 February 2026"),
    ]


def test_a_long_film_has_one_for_each_month_or_year() -> None:
    months = chapters.of_days(days(400))
    assert [mark.name for mark in months][:3] == ["2026-01", "2026-02", "2026-03"]
    assert [mark.start for mark in months][:3] == [0, 2000, 30_000]
    years = chapters.of_days(days(30 * 365))
    assert [mark.name for mark in years][:2] == ["2026", "2027"]
    assert len(years) <= chapters.MOST


def test_within_a_day_a_chapter_wherever_a_tag_begins_or_ends() -> None:
    spans = [Span("snow", 10, 30), Span("scaffold", 20, None), Span("earlier", 0, 2)]
    assert chapters.edges(spans, 5, 100) == [5, 10, 20, 30]
    starts = {5: 0, 10: 500, 20: 1500, 30: 2500}
    found = chapters.of_tags(spans, starts)
    assert [(mark.start, mark.name) for mark in found] == [
        (0, chapters.NOTHING),
        (500, "snow"),
        (1500, "scaffold, snow"),
        (2500, "scaffold"),
    ]


def test_what_changes_nothing_is_no_chapter() -> None:
    assert chapters.of_tags([], {5: 0}) == []
    spans = [Span("snow", 0, 20), Span("snow", 20, None)]
    assert [m.name for m in chapters.of_tags(spans, {5: 0, 20: 700})] == ["snow"]
    # two changes between the same two pictures are one
    spans = [Span("a", 10, 11), Span("b", 11, None)]
    assert [m.name for m in chapters.of_tags(spans, {5: 0, 10: 500, 11: 500})] == ["–", "b"]


async def test_ffmpeg_understands_it(tmp_path: Path) -> None:
    title = "Half = half; #1 \\ two\nlines [CHAPTER]"
    text = chapters.metadata(title, "2026-03-01T12:00:00+00:00", days(2), 2500, 10_000)
    (tmp_path / "notes").write_text(text, encoding="utf-8")
    again = await ffmpeg.read(
        ["-f", "ffmetadata", "-i", str(tmp_path / "notes"), "-f", "ffmetadata", "pipe:1"]
    )
    read = again.decode()
    assert "title=Half \\= half\\; \\#1 \\\\ two lines [CHAPTER]" in read
    assert read.count("\n[CHAPTER]") == 2
    assert "START=1000\nEND=2500\ntitle=2026-01-31" in read

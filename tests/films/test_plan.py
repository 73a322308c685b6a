"""The plan, without ffmpeg and without a database."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from vigil.films import plan
from vigil.films.model import EPOCH, Film, FilmFrame, Listed, Planned

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = START + timedelta(days=1)


def a_film(
    until: float | None = 3600, speed: float = 10, fps: float = 10, window_s: float = 20
) -> Film:
    return Film(
        id=1,
        title="A film",
        scene_id=1,
        camera="garden",
        retention_s=30 * 86400,
        from_at=START,
        to_at=None if until is None else START + timedelta(seconds=until),
        speed=speed,
        fps=fps,
        width=160,
        height=90,
        window_s=window_s,
        state="rendering",
        error=None,
        next_at=None,
        planned_id=0,
        dropped_segments=0,
        dropped_ticks=0,
        job_id=None,
        file_blob=None,
        file_bytes=None,
        file_key=None,
        created_at=START,
        changed_at=START,
    )


def frames_at(*seconds: float) -> list[FilmFrame]:
    return [
        FilmFrame(START + timedelta(seconds=s), hashlib.sha256(repr(s).encode()).digest(), f"f/{s}")
        for s in seconds
    ]


def name(frames: Sequence[FilmFrame]) -> str:
    return hashlib.sha256(b"".join(frame.sha256 for frame in frames)).hexdigest()


def listed(planned: Sequence[Planned]) -> dict[datetime, Listed]:
    return {
        one.window_start: Listed(
            window_start=one.window_start,
            hash=one.hash,
            first_at=one.frames[0].taken_at,
            last_at=one.frames[-1].taken_at,
            closed=one.closed,
            frames=len(one.frames),
            bytes=1,
            duration_s=1,
        )
        for one in planned
    }


moments = st.lists(st.integers(-100_000_000, 3_700_000_000).map(lambda us: us / 1e6), max_size=60)
shapes = st.builds(
    lambda speed, fps, number: (speed, fps, number * round(speed / fps * 1e6) / 1e6),
    st.sampled_from([1.0, 2.5, 10.0, 33.0, 250.0, 4000.0]),
    st.sampled_from([1.0, 3.333, 10.0, 25.0, 60.0]),
    st.integers(1, 60),
)


@given(moments, shapes)
def test_no_frame_twice_none_out_of_order_none_outside(
    seconds: list[float], shape: tuple[float, float, float]
) -> None:
    film = a_film(3600, *shape)
    planned = plan.plan(film, frames_at(*seconds), LATER, name)
    shown = [frame.taken_at for one in planned for frame in one.frames]
    assert shown == sorted(set(shown))
    assert all(film.from_at <= moment < film.to_at for moment in shown if film.to_at)
    slots = [(moment - EPOCH) // film.slot for moment in shown]
    assert len(slots) == len(set(slots))
    wanted = {
        (frame.taken_at - EPOCH) // film.slot
        for frame in frames_at(*seconds)
        if film.from_at <= frame.taken_at < START + timedelta(hours=1)
    }
    assert set(slots) == wanted, "every slot that has a frame shows one"


@given(moments, shapes)
def test_windows_are_aligned_and_hold_whole_slots(
    seconds: list[float], shape: tuple[float, float, float]
) -> None:
    film = a_film(3600, *shape)
    for one in plan.plan(film, frames_at(*seconds), LATER, name):
        assert (one.window_start - EPOCH) % film.window == timedelta(0)
        assert one.closed
        assert 1 <= len(one.frames) <= film.window_frames
        for frame in one.frames:
            assert one.window_start <= frame.taken_at < one.window_start + film.window
    assert film.window % film.slot == timedelta(0)


@given(moments, st.randoms(use_true_random=False))
def test_the_order_of_arrival_does_not_matter(seconds: list[float], random: object) -> None:
    film = a_film()
    frames = frames_at(*seconds)
    shuffled = list(frames)
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis gives a Random
    assert plan.plan(film, frames, LATER, name) == plan.plan(film, shuffled, LATER, name)


@settings(max_examples=50)
@given(moments, moments, st.integers(0, 3700))
def test_growing_step_by_step_ends_as_from_scratch(
    early: list[float], late: list[float], second: int
) -> None:
    """What is rendered in two steps is what is rendered in one, and only what differs is."""
    film = a_film()
    now = START + timedelta(seconds=second)
    first = [f for f in frames_at(*early) if f.taken_at <= now]
    before = plan.plan(film, first, now, name)
    there = listed(before)
    after = plan.plan(film, first + frames_at(*late), LATER, name)
    todo = plan.changes(film, after, there, LATER)
    touched = {plan.window_start(film, frame.taken_at) for frame in frames_at(*late)}
    open_before = {start for start in there if not there[start].closed}
    never_seen = {
        plan.window_start(film, f.taken_at) for f in first if f.taken_at >= film.from_at
    } - set(there)
    for one in todo.render:
        assert one.window_start in touched | open_before | never_seen
    there.update(listed(todo.render))
    for start in todo.remove:
        del there[start]
    assert there == listed(after)
    assert plan.changes(film, after, there, LATER) == plan.Changes([], [])


def test_a_late_frame_touches_only_its_own_window() -> None:
    film = a_film()
    seconds = [s for s in range(100) if s != 45]
    before = plan.plan(film, frames_at(*seconds), LATER, name)
    after = plan.plan(film, frames_at(*seconds, 45), LATER, name)
    todo = plan.changes(film, after, listed(before), LATER)
    assert [one.window_start for one in todo.render] == [START + timedelta(seconds=40)]
    assert todo.remove == []


def test_the_first_frame_of_a_slot_is_shown() -> None:
    film = a_film(speed=100, fps=10, window_s=200)  # a slot is 10 s
    shown = plan.choose(film, frames_at(12, 5, 19.999, 20, 3))
    assert shown == frames_at(3, 12, 20)


def test_a_growing_film_plans_closed_windows_only() -> None:
    film = a_film(None)
    now = START + timedelta(seconds=41.9)  # the window to 40 s is open until 42 s
    assert [p.window_start for p in plan.plan(film, frames_at(*range(42)), now, name)] == [START]
    now += timedelta(seconds=0.1)
    planned = plan.plan(film, frames_at(*range(42)), now, name)
    assert [p.window_start - START for p in planned] == [timedelta(0), timedelta(seconds=20)]
    assert plan.next_look(film, now) == START + timedelta(seconds=62)


def test_a_film_that_has_just_ended_waits_for_stragglers() -> None:
    film = a_film(30)
    now = START + timedelta(seconds=31)
    planned = plan.plan(film, frames_at(*range(30)), now, name)
    assert [one.closed for one in planned] == [True, False]
    assert plan.next_look(film, now) == START + timedelta(seconds=32)
    assert plan.next_look(film, now + timedelta(seconds=1)) is None


def test_a_film_of_the_future_is_looked_at_when_its_first_window_closes() -> None:
    film = replace(a_film(None), from_at=START + timedelta(seconds=65))
    assert plan.next_look(film, START) == START + timedelta(seconds=82)


def test_what_the_camera_forgets_stays_as_it_was_rendered() -> None:
    film = replace(a_film(), retention_s=60.0)
    before = plan.plan(film, frames_at(*range(100)), START + timedelta(seconds=102), name)
    now = START + timedelta(seconds=130)  # frames before 70 s are gone
    after = plan.plan(film, frames_at(*range(70, 100)), now, name)
    assert plan.changes(film, after, listed(before), now) == plan.Changes([], [])


def test_frames_taken_away_before_their_time_leave_the_film() -> None:
    film = a_film()
    before = plan.plan(film, frames_at(*range(100)), LATER, name)
    after = plan.plan(film, frames_at(*range(20), *range(40, 100)), LATER, name)
    todo = plan.changes(film, after, listed(before), LATER)
    assert todo == plan.Changes([], [START + timedelta(seconds=20)])
    assert plan.changes(film, after, listed(before), LATER, frozenset()).remove == []


def test_a_film_without_its_camera_changes_no_more() -> None:
    film = replace(a_film(), retention_s=None)
    before = plan.plan(a_film(), frames_at(*range(100)), LATER, name)
    assert plan.changes(film, [], listed(before), LATER) == plan.Changes([], [])

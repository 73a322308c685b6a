"""multipart: every way in which cameras write it."""

from __future__ import annotations

import contextlib
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.servers.mjpeg import Habits, part
from tests.servers.pictures import jpeg
from vigil.cameras.multipart import Splitter
from vigil.errors import SourceError

PICTURES = [jpeg(n, (64, 48)) for n in range(6)]
RIGHT = Habits()
KINDS = {
    "as it should be": RIGHT,
    "no length": replace(RIGHT, length="none"),
    "length too short": replace(RIGHT, length="short"),
    "length too long": replace(RIGHT, length="long"),
    "length of nothing": replace(RIGHT, length="zero"),
    "dashes in the header, too": replace(RIGHT, boundary="--frame"),
    "dashes only in the header": replace(RIGHT, boundary="--frame", line="frame"),
    "no dashes anywhere": replace(RIGHT, line="frame"),
    "no dashes, no length": replace(RIGHT, line="frame", length="none"),
    "double dashes": replace(RIGHT, boundary="--frame", line="----frame"),
    "another boundary than announced": replace(RIGHT, boundary="other"),
    "none announced": replace(RIGHT, boundary=None),
    "quoted": replace(RIGHT, quoted=True),
    "line feeds alone": replace(RIGHT, newline="\n"),
    "line feeds alone, no length": replace(RIGHT, newline="\n", length="none"),
    "newlines first": replace(RIGHT, preamble=b"\r\n\r\n"),
    "a word first": replace(RIGHT, preamble=b"This is MJPEG\r\n"),
    "no header": replace(RIGHT, header="X: y", length="none"),
    "lower case": replace(RIGHT, header="content-type:image/jpeg"),
    "a boundary of one letter": replace(RIGHT, boundary="b", line="--b", length="none"),
}


def content_type(habits: Habits) -> str:
    if habits.boundary is None:
        return "multipart/x-mixed-replace"
    quote = '"' if habits.quoted else ""
    return f"multipart/x-mixed-replace;boundary={quote}{habits.boundary}{quote}"


def stream(habits: Habits, pictures: list[bytes] = PICTURES) -> bytes:
    return habits.preamble + b"".join(part(picture, habits) for picture in pictures)


def split(habits: Habits, data: bytes, step: int) -> list[bytes]:
    splitter = Splitter(content_type(habits), max_bytes=1_000_000)
    found = []
    for position in range(0, len(data), step):
        found += [one.body for one in splitter.feed(data[position : position + step])]
    return found


def feed_all(splitter: Splitter, chunk: bytes) -> None:
    for _ in range(1000):
        splitter.feed(chunk)


@pytest.mark.parametrize("step", [1, 7, 1000, 10_000_000])
@pytest.mark.parametrize("name", KINDS)
def test_pictures_come_out_as_they_went_in(name: str, step: int) -> None:
    habits = KINDS[name]
    # one more part pushes out the last picture where only the next boundary ends it
    found = split(habits, stream(habits, [*PICTURES, b"x"]), step)
    if habits.length == "short":  # the first is damaged; from then on the length is not believed
        assert found[0] == PICTURES[0][:-7]
        assert found[1:6] == PICTURES[1:]
    else:
        assert found[:6] == PICTURES


def test_with_a_length_a_picture_is_there_at_its_last_byte() -> None:
    splitter = Splitter("multipart/x-mixed-replace; boundary=frame", max_bytes=1_000_000)
    head = f"--frame\r\nContent-Length: {len(PICTURES[0])}\r\n\r\n".encode()
    assert splitter.feed(head + PICTURES[0][:-1]) == []
    assert [one.body for one in splitter.feed(PICTURES[0][-1:])] == [PICTURES[0]]


def test_headers_are_read() -> None:
    splitter = Splitter("multipart/x-mixed-replace; boundary=frame", max_bytes=1_000_000)
    (one,) = splitter.feed(
        b"--frame\r\nContent-Type: text/plain\r\nX: a: b\r\n\r\nhi\r\n--frame\r\n"
    )
    assert one.headers == {"content-type": "text/plain", "x": "a: b"}
    assert one.body == b"hi"


@pytest.mark.parametrize("step", [1, 1000])
def test_the_closing_boundary_ends_it(step: int) -> None:
    splitter = Splitter("multipart/x-mixed-replace; boundary=frame", max_bytes=1_000_000)
    data = stream(RIGHT) + b"--frame--\r\n"
    found = []
    for position in range(0, len(data), step):
        found += [one.body for one in splitter.feed(data[position : position + step])]
    assert splitter.ended
    assert found == PICTURES


def test_what_never_ends_is_given_up() -> None:
    splitter = Splitter("multipart/x-mixed-replace; boundary=frame", max_bytes=100_000)
    splitter.feed(b"--frame\r\n\r\n")
    with pytest.raises(SourceError, match="without the end of a picture"):
        feed_all(splitter, b"x" * 1000)


def test_what_never_begins_is_given_up() -> None:
    for filler in (b"x" * 1000, b"line\n" * 200):
        splitter = Splitter("multipart/x-mixed-replace; boundary=frame", max_bytes=100_000)
        with pytest.raises(SourceError, match="without a boundary"):
            feed_all(splitter, filler)


def test_headers_without_an_end_are_given_up() -> None:
    splitter = Splitter("multipart/x-mixed-replace; boundary=frame", max_bytes=100_000)
    with pytest.raises(SourceError, match="headers"):
        splitter.feed(b"--frame\r\n" + b"X: y\r\n" * 10_000)


def test_an_announced_monster_is_given_up() -> None:
    splitter = Splitter("multipart/x-mixed-replace; boundary=frame", max_bytes=100_000)
    with pytest.raises(SourceError, match="announces"):
        splitter.feed(b"--frame\r\nContent-Length: 4000000000\r\n\r\n")


@given(
    chunks=st.lists(
        st.one_of(
            st.binary(max_size=60),
            st.sampled_from(
                [
                    b"--b",
                    b"--b--",
                    b"\r\n",
                    b"\n",
                    b"Content-Length: 5\r\n",
                    b"b",
                    b"\r\n\r\n",
                    b"-",
                ]
            ),
        ),
        max_size=30,
    )
)
@settings(max_examples=500, deadline=None)
def test_garbage_never_hangs_or_crashes(chunks: list[bytes]) -> None:
    """What comes out was fed in: nothing is made up, doubled or longer than allowed."""
    splitter = Splitter("multipart/x-mixed-replace; boundary=b", max_bytes=100)
    fed, position = b"".join(chunks), 0
    with contextlib.suppress(SourceError):
        for chunk in chunks:
            for one in splitter.feed(chunk):
                assert len(one.body) <= 100
                position = fed.find(one.body, position) + len(one.body)
                assert position >= len(one.body), "it is in what was fed, after the one before"

"""jpeg: what is a picture, and what only looks like one."""

from __future__ import annotations

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.servers.pictures import bomb, jpeg
from vigil.cameras.jpeg import without_metadata
from vigil.cameras.pictures.reading import Seen, examine, measure
from vigil.cameras.pictures.shape import BadPicture

GPS = b"Exif\0\0MM\0*\0\0\0\x08\0\0" + b"somewhere 51.4769N 0.0005W"


def see(data: bytes) -> Seen:
    shape = measure(data)
    return examine(data[: shape.end], shape)


def reason(data: bytes) -> str:
    with pytest.raises(BadPicture) as caught:
        see(data)
    return caught.value.reason


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("size", [(320, 240), (1280, 720), (1, 1), (17, 9), (8, 2000)])
def test_a_whole_picture(size: tuple[int, int], mode: str, progressive: bool) -> None:
    data = jpeg(3, size, progressive=progressive, mode=mode)
    shape = measure(data)
    assert (shape.width, shape.height, shape.doubtful) == (*size, progressive)
    assert shape.end == len(data)
    seen = see(data)
    y_plane = Image.open(io.BytesIO(data)).convert("L").resize((1, 1), Image.Resampling.BOX)
    assert seen.look.luma == pytest.approx(y_plane.getpixel((0, 0)), abs=6)
    assert seen.doubtful == progressive


@pytest.mark.parametrize(("level", "expected"), [(0, 0), (255, 255), (64, 64)])
def test_luma_is_that_of_the_y_plane(level: int, expected: float) -> None:
    written = io.BytesIO()
    Image.new("RGB", (64, 64), (level, level, level)).save(written, "JPEG")
    assert see(written.getvalue()).look.luma == pytest.approx(expected, abs=0.6)


def test_a_bomb_is_refused_by_its_header_alone() -> None:
    data = bomb()
    assert len(data) < 1_000_000
    assert reason(data) == "too_many_pixels"
    assert reason(data[:700]) == "too_many_pixels"  # nothing behind the header was needed
    with pytest.raises(BadPicture, match="8000×5000"):
        measure(data)


def test_too_many_bytes() -> None:
    assert reason(jpeg()[:-2] + b"\0" * 20_000_000) == "too_large"


def test_too_many_scans() -> None:
    data = jpeg(1, progressive=True)
    start = data.rindex(b"\xff\xda")
    assert reason(data[:-2] + data[start:-2] * 200 + b"\xff\xd9") == "broken"


@pytest.mark.parametrize("progressive", [False, True])
def test_every_way_of_cutting_is_noticed(progressive: bool) -> None:
    data = jpeg(5, progressive=progressive)
    for length in [*range(1, 700, 7), *range(700, len(data), 97), len(data) - 2, len(data) - 1]:
        assert reason(data[:length]) == "truncated", length


def test_an_end_put_behind_half_a_picture_is_suspicious() -> None:
    """libjpeg decodes this without a word: grey where the rest should be."""
    data = jpeg(5)
    for share in (0.2, 0.5, 0.8, 0.95):
        cut = data[: int(len(data) * share)].rstrip(b"\xff") + b"\xff\xd9"
        assert measure(cut).end == len(cut)
        assert see(cut).doubtful, share


def test_a_hole_in_the_middle_is_suspicious() -> None:
    data = jpeg(5, (640, 480))
    middle = len(data) // 2
    assert see(data[:middle] + data[middle + len(data) // 10 :]).doubtful


@pytest.mark.parametrize("padding", [b"\r\n", b"\0" * 500, b"PK\x03\x04 a zip", jpeg(9)])
def test_what_follows_the_picture_is_no_part_of_it(padding: bytes) -> None:
    assert measure(jpeg() + padding).end == len(jpeg())


def test_metadata_goes_and_pixels_stay() -> None:
    plain = jpeg(4)
    comment = b"\xff\xfe\x00\x0emy garden!!!"
    xmp = b"\xff\xe1\x00\x1bhttp://ns.adobe.com/xap/1"
    icc = b"\xff\xe2\x00\x14ICC_PROFILE\0\1\1rest"
    data = plain[:2] + comment + xmp + icc + jpeg(4, exif=GPS)[2:]
    assert b"51.4769N" in data
    clean = without_metadata(data)
    for secret in (b"51.4769N", b"my garden", b"ns.adobe.com"):
        assert secret in data
        assert secret not in clean
    assert b"ICC_PROFILE" in clean
    assert Image.open(io.BytesIO(clean)).tobytes() == Image.open(io.BytesIO(plain)).tobytes()
    assert without_metadata(plain) == plain


def test_a_thumbnail_in_the_metadata_is_not_the_picture() -> None:
    small = jpeg(1, (32, 32))
    data = jpeg(4)
    hidden = b"Exif\0\0" + small
    wrapped = data[:2] + b"\xff\xe1" + (len(hidden) + 2).to_bytes(2, "big") + hidden + data[2:]
    assert (measure(wrapped).width, measure(wrapped).end) == (320, len(wrapped))


def test_a_picture_for_printing_is_refused() -> None:
    assert reason(jpeg(mode="CMYK")) == "unsupported"


def test_kinds_that_browsers_cannot_show() -> None:
    data = jpeg()
    for other_kind in (b"\xff\xc3", b"\xff\xc9"):  # lossless, arithmetic
        assert reason(data.replace(b"\xff\xc0", other_kind, 1)) == "unsupported"


@given(data=st.data())
@settings(max_examples=300, deadline=None, derandomize=True)
def test_damage_never_gets_past_as_anything_but_a_picture(data: st.DataObject) -> None:
    """Whatever bytes come, the answer is a shape or BadPicture, never another exception."""
    damaged = bytearray(jpeg(7, (48, 32), progressive=data.draw(st.booleans())))
    for _ in range(data.draw(st.integers(1, 8))):
        position = data.draw(st.integers(0, len(damaged) - 1))
        damaged[position] = data.draw(st.integers(0, 255))
    cut = bytes(damaged[: data.draw(st.integers(1, len(damaged)))])
    try:
        shape = measure(cut)
        assert 0 < shape.width * shape.height <= 32_000_000
        seen = see(cut)
        assert 0 <= seen.look.luma <= 255
    except BadPicture:
        pass


def test_restart_markers_tell_of_holes() -> None:
    """Where restart markers let a decoder go on after a hole, it says nothing."""
    written = io.BytesIO()
    with Image.open(io.BytesIO(jpeg(5, (640, 480)))) as image:
        image.save(written, "JPEG", restart_marker_rows=1)
    data = written.getvalue()
    assert not see(data).doubtful
    third, fifth = data.index(b"\xff\xd2"), data.index(b"\xff\xd4")
    assert see(data[:third] + data[fifth:]).doubtful
    last = data.rindex(b"\xff\xd4")
    assert see(data[:last] + b"\xff\xd9").doubtful


def test_stored_as_rgb() -> None:
    written = io.BytesIO()
    with Image.open(io.BytesIO(jpeg(5))) as image:
        image.save(written, "JPEG", keep_rgb=True)
        expected = image.convert("L").resize((1, 1), Image.Resampling.BOX).getpixel((0, 0))
    assert see(written.getvalue()).look.luma == pytest.approx(expected, abs=2)

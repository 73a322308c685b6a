"""What a request brings: pictures, each with what is said of its time.

One picture is the body itself, its time in the header ``X-Taken-At``. Several are the files of a
``multipart/form-data``, their times in as many fields ``taken_at``, in the same order:
``curl -F taken_at=2026-05-01T12:00Z -F frame=@a.jpg -F taken_at=… -F frame=@b.jpg``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypedDict
from zoneinfo import ZoneInfo

from sanic import Request

from vigil import sent
from vigil.cameras import intake
from vigil.cameras.model import Camera, Frame, RawFrame
from vigil.cameras.stamping import stamp
from vigil.context import Context
from vigil.errors import Invalid, Refused, TooLarge, Unavailable

MOST_AT_ONCE = 100
"""Pictures in one request."""
RETRY_S = 60.0
"""After which a picture that could not be kept may come again."""
LATER = frozenset({"disk_full"})
"""Refusals that are nobody's fault and pass: the picture should come again."""


@dataclass(frozen=True, slots=True)
class Brought:
    """One picture of a request."""

    data: bytes
    name: str
    """Of its file; empty when it has none."""
    said: datetime | None
    """When it was taken, as far as the request says."""


class Answer(TypedDict):
    """What became of one picture."""

    status: str
    """accepted; known: it was there already; refused: it never will be a frame; later: it was not
    kept now, bring it again."""
    taken_at: datetime
    way: str
    """How its time is known: said, exif, name or arrival."""
    id: int | None
    sha256: str | None
    reason: str | None
    message: str | None


def read(request: Request) -> list[Brought]:
    """The pictures of a request; raises Invalid or TooLarge."""
    kind = request.headers.get("content-type", "").lower()
    if not kind.startswith("multipart/"):
        said = request.headers.get("x-taken-at")
        name = request.headers.get("x-file-name", "")[:200]
        if not request.body:
            raise Invalid("the request brings no picture", hint="its body is the picture itself")
        return [Brought(request.body, name, moment(said) if said else None)]
    files = [one for several in (request.files or {}).values() for one in several]
    if not files:
        raise Invalid("the request brings no picture", hint="curl -F frame=@picture.jpg …")
    if len(files) > MOST_AT_ONCE:
        raise TooLarge(f"at most {MOST_AT_ONCE} pictures in a request")
    times = sent.fields(request).get("taken_at", [])
    if times and len(times) != len(files):
        raise Invalid(
            f"{len(files)} pictures and {len(times)} times",
            hint="as many fields taken_at as files, in the same order, or none",
        )
    said_of = [moment(text) for text in times] if times else [None] * len(files)
    return [
        Brought(file.body, (file.name or "")[:200], said)
        for file, said in zip(files, said_of, strict=True)
    ]


def moment(text: str) -> datetime:
    """A time as somebody says it: ISO 8601, or seconds since 1970; raises Invalid."""
    text = text.strip()
    try:
        if re.fullmatch(r"\d{9,11}(\.\d{1,6})?", text):
            return datetime.fromtimestamp(float(text), UTC)
        found = datetime.fromisoformat(text)
    except (ValueError, OverflowError, OSError):
        raise Invalid(
            f"{text[:40]!r} is no time", hint="2026-05-01T12:00:00.5Z, or seconds since 1970"
        ) from None
    if not 1971 <= found.year <= 9000:
        raise Invalid(f"{text[:40]!r} is too far away")
    return found


async def take(
    context: Context, camera: Camera, zone: ZoneInfo, brought: Sequence[Brought]
) -> list[Answer]:
    """Give pictures to intake, one after the other; an answer for each, in their order."""
    arrived_at = context.clock.now()
    return [await _one(context, camera, zone, picture, arrived_at) for picture in brought]


def raise_for(answer: Answer) -> None:
    """Raise Refused or Unavailable where a picture that came alone is no frame."""
    if answer["status"] == "later":
        raise Unavailable(answer["message"] or "come again later", retry_after=RETRY_S)
    if answer["status"] == "refused":
        raise Refused(answer["message"] or "refused", code=answer["reason"] or "refused")


async def _one(
    context: Context, camera: Camera, zone: ZoneInfo, picture: Brought, arrived_at: datetime
) -> Answer:
    stamped = stamp(
        picture.data,
        name=picture.name,
        said=picture.said,
        arrived_at=arrived_at,
        zone=zone,
        options=camera.options,
    )
    raw = RawFrame(data=picture.data, taken_at=stamped.taken_at)
    result = await intake.accept(context, camera, raw)
    if isinstance(result, Frame):
        known = result.received_at < arrived_at - timedelta(milliseconds=1)
        return Answer(
            status="known" if known else "accepted",
            taken_at=result.taken_at,
            way=stamped.way,
            id=result.id,
            sha256=result.sha256.hex(),
            reason=None,
            message=None,
        )
    return Answer(
        status="later" if result.reason in LATER else "refused",
        taken_at=stamped.taken_at,
        way=stamped.way,
        id=None,
        sha256=None,
        reason=result.reason,
        message=result.message,
    )

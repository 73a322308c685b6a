"""Cameras and their frames."""

from __future__ import annotations

import builtins
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from vigil.context import Context


@dataclass(frozen=True, kw_only=True)
class Camera:
    """Something that delivers frames."""

    id: int
    name: str
    title: str
    kind: str
    url: str | None
    """With credentials; shown to nobody but an admin. ``None`` for the test card."""
    options: Mapping[str, Any]
    interval_s: float
    retention_s: float
    retention_bytes: int | None = None
    """Most bytes of frames kept; the oldest go first. ``None``: as many as come."""
    retention_frames: int | None = None
    """Most frames kept; the oldest go first. ``None``: as many as come."""
    notes: str = ""
    plan: Mapping[str, Any] = field(default_factory=dict)
    """When frames are due, beside ``interval_s``; empty: always."""
    rotation: int = 0
    """Degrees clockwise by which pictures are turned when shown, after what EXIF says."""
    crop: Sequence[float] | None = None
    """Left, top, right, bottom of what is shown, 0 to 1 of the turned picture."""
    enabled: bool
    deleting_at: datetime | None
    created_at: datetime
    changed_at: datetime


@dataclass(frozen=True, kw_only=True)
class Scene:
    """A place and a view; pictures of it belong together, whichever camera took them."""

    id: int
    name: str
    title: str
    notes: str
    latitude: float | None
    """Degrees north; ``None`` when nobody said."""
    longitude: float | None
    """Degrees east; ``None`` when nobody said."""
    time_zone: str
    """IANA name: where its days begin, and the zone of times that name none."""
    created_at: datetime
    changed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RawFrame:
    """A picture as it came, before intake has looked at it."""

    data: bytes
    taken_at: datetime
    """UTC; our own clock where the camera says nothing that can be trusted."""
    kept: bool = False
    """Kept for ever: no retention refuses or removes it."""
    done: Callable[[Frame | Refusal], Awaitable[None]] | None = None
    """Told what became of it, before the next is asked for; may raise SourceError."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """A picture that intake accepted."""

    id: int
    camera_id: int
    taken_at: datetime
    received_at: datetime
    width: int
    height: int
    bytes: int
    sha256: builtins.bytes
    luma: float
    """Mean of the Y plane, 0 to 255."""
    blob: str
    scene_id: int = 0
    """What it shows."""
    kept: bool = False
    """Kept for ever, whatever the retention."""
    format: str = "jpeg"
    """What the blob is: jpeg, png, webp, heif."""
    picture: str | None = None
    """Key of the JPEG that is shown instead of the blob: turned, cropped, converted."""
    picture_bytes: int | None = None
    thumbnails: Sequence[int] | None = None
    """Bytes of the three JPEGs, 160, 320 and 640 wide; ``None``: there are none."""
    contrast: float | None = None
    """Standard deviation of the Y plane; this and what follows: ``None`` for frames of old."""
    dark: float | None = None
    """Share of pixels with Y below 16."""
    bright: float | None = None
    """Share of pixels with Y above 239."""
    sharpness: float | None = None
    """Variance of the Laplacian of the 320 wide thumbnail."""
    perceptual_hash: int | None = None
    """64 bits, signed: pictures that look alike differ in few."""
    sun_height: float | None = None
    """Degrees of the sun above the horizon; ``None`` without coordinates."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A picture that never becomes a frame, and why."""

    reason: str
    """One word to count by, e.g. ``truncated``; ``REASONS`` in intake lists them."""
    message: str
    """For a person."""


@dataclass(frozen=True, kw_only=True)
class Health:
    """How a camera is doing."""

    connected: bool = False
    last: Frame | None = None
    """Its latest frame by time taken."""
    frames: int = 0
    """Ever accepted."""
    refused: int = 0
    refusals: Mapping[str, int] = field(default_factory=dict)
    failures: int = 0
    """Failed attempts since the last frame."""
    error: str | None = None
    hint: str | None = None
    failed_at: datetime | None = None
    next_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Option:
    """One option of a kind, as a form and --help show it."""

    name: str
    label: str
    hint: str = ""
    default: bool | float | str
    """What holds when nobody says; its type is the option's type."""
    choices: Sequence[str] = ()
    """Where only these are possible."""
    least: float = 0.0
    most: float = 1e9
    """Of a number."""


@dataclass(frozen=True, kw_only=True)
class CameraKind:
    """How one kind of camera is read. One of these stands in each adapter's file."""

    name: str
    title: str
    frames: Callable[[Context, Camera], AsyncGenerator[RawFrame | None, None]]
    """One connection: yields a picture each ``interval_s`` until it breaks (raises SourceError).

    ``None`` says that the camera answered and had nothing new.
    """
    accepts: Callable[[str], bool]
    """Whether a URL looks like one of this kind."""
    paced: bool = True
    """Whether it gives a frame when the plan asks for one; if not, all that come are taken."""
    asked: bool = True
    """Whether the scanner asks it for frames; if not, they are brought."""
    address: str = ""
    """An address of this kind, as an example; empty: the word ``name`` is its address."""
    form: Sequence[Option] = ()
    """Its options."""

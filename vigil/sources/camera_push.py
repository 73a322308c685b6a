"""Cameras that nobody asks: they, a script or a controller bring their frames.

Room controllers takes them in.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator

from vigil.cameras.model import Camera, CameraKind, Option, RawFrame
from vigil.context import Context
from vigil.errors import SourceError

TEN_YEARS_S = 10 * 365 * 86_400.0


def accepts(url: str) -> bool:
    """The word itself."""
    return url == "push"


async def frames(context: Context, camera: Camera) -> AsyncGenerator[RawFrame | None, None]:
    """Never called by the scanner; raises SourceError."""
    raise SourceError(
        "this camera brings its frames itself",
        hint=f"POST them to /api/v1/cameras/{camera.name}/frames",
        permanent=True,
    )
    yield  # type: ignore[unreachable]  # what makes it a generator


KIND = CameraKind(
    name="push",
    title="Push: brings its frames itself",
    frames=frames,
    accepts=accepts,
    asked=False,
    form=(
        Option(
            name="time",
            label="When a picture was taken",
            hint="By its EXIF, its file's name or its arrival; else by the first that says it.",
            default="",
            choices=("exif", "name", "arrival"),
        ),
        Option(
            name="clock_offset_s",
            label="Seconds by which its clock is ahead",
            default=0.0,
            least=-TEN_YEARS_S,
            most=TEN_YEARS_S,
        ),
    ),
)

"""Cameras that nobody asks: they, a script or a controller bring their frames.

Room controllers takes them in.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator

from vigil.cameras.model import Camera, CameraKind, RawFrame
from vigil.context import Context
from vigil.errors import SourceError


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
    name="push", title="Push: brings its frames itself", frames=frames, accepts=accepts, asked=False
)

"""What may be said of a film that is wanted."""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_args

import msgspec
from msgspec import Meta

from vigil.errors import Invalid
from vigil.films.asking.words import Wrong
from vigil.films.options import Choice, Codec, Container, Look

Format = Literal["mp4", "mp4-av1", "webm", "webm-av1", "webp", "gif"]
FORMATS: dict[str, tuple[Codec, Container]] = {
    "mp4": ("h264", "mp4"),
    "mp4-av1": ("av1", "mp4"),
    "webm": ("vp9", "webm"),
    "webm-av1": ("av1", "webm"),
    "webp": ("h264", "webp"),
    "gif": ("h264", "gif"),
}
"""Format → how its segments are encoded, and what the file is."""
Names = str | tuple[Annotated[str, Meta(max_length=63)], ...]


class Order(
    msgspec.Struct,
    forbid_unknown_fields=True,
    omit_defaults=True,
    kw_only=True,
    frozen=True,
    rename={"from_": "from"},
):
    """A film as somebody asks for it; only a camera or a scene is needed."""

    camera: Names = ()
    """Cameras by name: what each of them shows now."""
    scene: Names = ()
    """Scenes by name; behind the cameras where both are given."""
    title: str | None = None
    from_: str | None = None
    """ISO 8601, how long ago (``2h``), ``today``, ``first`` (all that there is); default: now."""
    to: str | None = None
    """The same, or ahead (``+1h``); default: it grows for ever."""
    last: str | None = None
    """Short for from so long ago to now: ``30d``."""
    rolling: str | None = None
    """It shows the last ``24h``, always."""
    length: str | float | None = None
    """How long the film is to be: ``60s``, ``1:30``."""
    speed: float | None = None
    """Real seconds in a second of film."""
    per_day: Annotated[int, Meta(ge=1, le=86_400)] | None = None
    """Frames of each day; 1: the one closest to noon, unless ``choice.daily`` says another.
    Without this, length and speed every frame is shown."""
    fps: float | None = None
    """Pictures in a second of film; default 25, fewer where there are no more frames."""
    size: str | None = None
    """``1280x720``; default: like the frames, at most 1280 wide."""
    width: int | None = None
    height: int | None = None
    format: Format = "mp4"
    quality: Annotated[int, Meta(ge=0, le=4)] = 2
    """0 small and coarse to 4 large and fine."""
    choice: Choice = Choice()
    """Which frames go in."""
    look: Look = Look()
    """How the pictures look."""

    @property
    def cameras(self) -> tuple[str, ...]:
        """Names of the cameras."""
        return _several(self.camera)

    @property
    def scenes(self) -> tuple[str, ...]:
        """Names of the scenes."""
        return _several(self.scene)


def _several(names: Names) -> tuple[str, ...]:
    if isinstance(names, str):
        return tuple(part for one in names.split(",") if (part := one.strip()))
    return names


HINT = 'send an object such as {"camera": "garden", "last": "30d", "length": "60s"}'


def parse(body: Any) -> Order:
    """An order from JSON; raises Invalid, naming what is wrong."""
    if isinstance(body, dict):
        body = {key: value for key, value in body.items() if value not in (None, "")}
    try:
        return msgspec.convert(body, Order, strict=False)
    except msgspec.ValidationError as error:
        problem, _, where = str(error).partition(" - at `$.")
        if not where:
            raise Invalid(f"this film cannot be made: {problem}", hint=HINT) from None
        field = flat_name(where.rstrip("`"))
        raise Wrong(
            field, f"cannot be: {_words(problem)}", hint="/api/docs has all of it"
        ) from None


def _words(problem: str) -> str:
    problem = problem.replace("`", "")
    return f"{problem[0].lower()}{problem[1:]}"


FLAT = {"card_text": "card", "fade_between": "fade", "daily_within_s": "daily_within"}
"""Where a field's name is not its path."""


def flat_name(path: str) -> str:
    """The field of a form for a path of an order: ``look.stamp.zone`` is ``stamp_zone``."""
    parts = [part.partition("[")[0] for part in path.split(".")]
    if len(parts) > 1 and parts[0] in ("choice", "look"):
        parts = parts[1:]
    name = "_".join(parts)
    return FLAT.get(name, name)


def as_json(order: Order) -> dict[str, Any]:
    """The order as the API takes it, defaults left out."""
    found: dict[str, Any] = msgspec.to_builtins(order)
    return found


def choices(kind: Any) -> tuple[str, ...]:
    """The words of a Literal."""
    return get_args(kind)

"""What can go wrong, said so that a person can act on it.

Nothing found is ``None`` or an empty list; a failure raises. Every error of ours carries a
message for a person, an optional hint that says what to do, a short code for programs, the
HTTP status it becomes, and ``permanent``: whether trying again can help.
"""

from __future__ import annotations


class VigilError(Exception):
    """A failure with a message for a person. The base of all errors that Vigil raises itself."""

    code = "failed"
    status = 500
    permanent = False

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        permanent: bool | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        if permanent is not None:
            self.permanent = permanent
        self.retry_after = retry_after
        """Seconds before which trying again is pointless; ``None`` where nobody said."""

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})" if self.hint else self.message


class Invalid(VigilError):
    """The input cannot be used as it is."""

    code, status, permanent = "invalid", 400, True


class Unauthorized(VigilError):
    """Nobody is signed in, or the token is unknown."""

    code, status, permanent = "unauthorized", 401, True


class Forbidden(VigilError):
    """Known, but not allowed."""

    code, status, permanent = "forbidden", 403, True


class NotFound(VigilError):
    """There is no such thing."""

    code, status, permanent = "not_found", 404, True


class Conflict(VigilError):
    """It cannot be done in the state that the thing is in."""

    code, status, permanent = "conflict", 409, True


class Gone(VigilError):
    """It was here and is no more."""

    code, status, permanent = "gone", 410, True


class TooLarge(VigilError):
    """More than a limit allows."""

    code, status, permanent = "too_large", 413, True


class Refused(VigilError):
    """What was brought is not what it should be; ``code`` says in a word why."""

    code, status, permanent = "refused", 422, True

    def __init__(self, message: str, *, code: str, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.code = code


class TooManyRequests(VigilError):
    """Asked too often; ``retry_after`` says when it is answered again."""

    code, status = "too_many_requests", 429


class Unavailable(VigilError):
    """A part of Vigil itself (database, blob store) cannot be reached now."""

    code, status = "unavailable", 503


class DiskFull(Unavailable):
    """There is no room for a blob."""

    code = "disk_full"


class StoreAway(Unavailable):
    """The blob store at hand is not this database's: its disk is not mounted, or another one is."""

    code = "store_away"


class SourceError(VigilError):
    """Something outside (a source, a camera) did not answer as it should."""

    code, status = "source_failed", 502


class SettingsError(VigilError):
    """The configuration cannot be used; stops the start."""

    code, permanent = "settings", True

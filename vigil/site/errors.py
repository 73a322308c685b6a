"""Every failure of a request becomes a page or JSON here, in one shape, and nothing leaks.

What Vigil raises itself says its own status and message. What the web framework raises (no such
page, too large a body) gets a message of ours. A database that is away is 503 with Retry-After.
Everything else is our fault: 500 and a number that stands beside the traceback in the log.
"""

from __future__ import annotations

import secrets
import traceback
from collections import Counter
from typing import Any

import asyncpg
from sanic import HTTPResponse, Request, Sanic
from sanic.exceptions import MethodNotAllowed, SanicException

from vigil import auth, log, responses
from vigil.errors import Unavailable, VigilError
from vigil.site import reference

RETRY_AFTER_S = 5.0
TITLES = {
    400: "That cannot be used",
    401: "Who goes there?",
    403: "Not for you",
    404: "Nothing to see here",
    405: "Not that way",
    408: "Too slow",
    409: "Not now",
    410: "Gone",
    413: "Too much",
    429: "Too fast",
    500: "Something broke",
    502: "No answer from outside",
    503: "Back in a moment",
}
MESSAGES = {
    400: ("invalid", "the request cannot be read"),
    404: ("not_found", "there is no such page"),
    405: ("method_not_allowed", "this address does not take such requests"),
    408: ("timeout", "the request took too long to arrive"),
    413: ("too_large", "the request is larger than this site takes"),
    414: ("too_large", "the address is too long"),
    416: ("range_not_satisfiable", "the file does not have that part"),
    417: ("expectation_failed", "the request expects what this site does not do"),
    503: ("unavailable", "the site is stopping or overloaded"),
}


def register(app: Sanic[Any, Any]) -> None:
    """Hand every failure of a request of this application to ``handle``."""
    app.ctx.errors = Counter[str]()
    app.error_handler.add(Exception, handle)


async def handle(request: Request, exception: Exception) -> HTTPResponse:
    """The answer to a request that failed; to OPTIONS, which no route takes, what is allowed."""
    if isinstance(exception, MethodNotAllowed) and request.method == "OPTIONS":
        return reference.preflight(str(exception.headers.get("Allow", "")))
    error = explain(request, exception)
    request.app.ctx.errors[error.code] += 1
    headers: dict[str, str] = {}
    if error.status == 405 and isinstance(exception, SanicException):
        headers["allow"] = str(exception.headers.get("Allow", ""))
    if error.status == 401:
        headers["www-authenticate"] = 'Bearer realm="vigil"'
    if error.retry_after is not None:
        headers["retry-after"] = str(max(1, round(error.retry_after)))
    if responses.wants_json(request):
        response = responses.error_json(error)
    else:
        response = await _page(request, error)
    for name, value in headers.items():
        response.headers[name] = value
    return response


def explain(request: Request, exception: Exception) -> VigilError:
    """The error that is shown for an exception; logs what is our own fault."""
    if isinstance(exception, VigilError):
        return exception
    if isinstance(exception, SanicException) and exception.status_code < 500:
        return _of_framework(exception.status_code)
    if isinstance(exception, SanicException) and exception.status_code == 503:
        error = _of_framework(503)
        error.retry_after = RETRY_AFTER_S
        return error
    if database_is_away(exception):
        log.warning("site", f"{request.method} {request.path}: no database: {exception!r}")
        return Unavailable(
            "the database cannot be reached", hint="try again soon", retry_after=RETRY_AFTER_S
        )
    number = secrets.token_hex(6)
    log.error("site", f"{request.method} {request.path} failed ({number})", exc=exception)
    return VigilError(
        "something went wrong on our side", hint=f"the log knows it as {number}", permanent=False
    )


def _of_framework(status: int) -> VigilError:
    code, message = MESSAGES.get(status, ("refused", "the request is refused"))
    error = VigilError(message, permanent=status != 503)
    error.code, error.status = code, status
    return error


def database_is_away(exception: BaseException) -> bool:
    """Whether an exception says that the database is gone, going or not yet there."""
    if isinstance(exception, asyncpg.DataError):  # also an InterfaceError: a wrong argument of ours
        return False
    if isinstance(
        exception,
        asyncpg.InterfaceError
        | asyncpg.InternalClientError
        | asyncpg.PostgresConnectionError
        | asyncpg.CannotConnectNowError
        | asyncpg.AdminShutdownError
        | asyncpg.CrashShutdownError
        | asyncpg.TooManyConnectionsError,
    ):
        return True
    # A refused or cut line is an OSError like any other: it counts when asyncpg met it.
    return isinstance(exception, OSError | TimeoutError) and any(
        "/asyncpg/" in frame.filename for frame in traceback.extract_tb(exception.__traceback__)
    )


async def _page(request: Request, error: VigilError) -> HTTPResponse:
    if not hasattr(request.ctx, "identity"):
        request.ctx.identity = None if error.status >= 500 else await _identity(request)
    title = TITLES.get(error.status, "That did not work")
    try:
        return await responses.page(request, "error.html", error.status, error=error, title=title)
    except Exception as second:  # a page about an error must not fail itself
        log.error("site", "the error page failed", exc=second)
        return responses.error_json(error)


async def _identity(request: Request) -> auth.Identity | None:
    try:
        return await auth.identify(request)
    except Exception as error:
        if not database_is_away(error):
            log.error("site", "could not look up who asks", exc=error)
        return None

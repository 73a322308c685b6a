"""Every answer is made here: JSON, pages, errors, files with ranges, server-sent events.

Headers are set where the answer is made, not in a middleware, so a small JSON answer costs
little more than Sanic's own.
"""

from __future__ import annotations

import asyncio
import hashlib
import mimetypes
import re
import secrets
from collections.abc import AsyncGenerator, AsyncIterator
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import jinja2
import markupsafe
import msgspec
from sanic import HTTPResponse, Request
from sanic.response import ResponseStream

from vigil import __version__, auth, human, log
from vigil.context import Context
from vigil.errors import Invalid, NotFound, VigilError
from vigil.settings import ROOT

JSON_HEADERS = {
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
    "access-control-allow-origin": "*",  # pages of others may read it, but never with a cookie
}
API_PATHS = ("/api/", "/stream/", "/stats/", "/feeds/", "/healthz", "/metrics")
"""Where errors are JSON, whoever asks."""
STATIC = ROOT / "static"
KEEP_ALIVE_S = 15.0
CHUNK = 256 * 1024

_encoder = msgspec.json.Encoder(enc_hook=str)


def context(request: Request) -> Context:
    """What the process has; put on the application at its start."""
    found: Context = request.app.ctx.vigil
    return found


def json(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> HTTPResponse:
    """A JSON answer. Times become ISO 8601 in UTC; dataclasses become objects."""
    return HTTPResponse(
        _encoder.encode(value),
        status,
        headers=JSON_HEADERS if headers is None else JSON_HEADERS | headers,
        content_type="application/json",
    )


def items(rows: list[Any], next_cursor: str | None = None) -> HTTPResponse:
    """A list as the API gives all its lists: ``{"items": […], "next": cursor or null}``."""
    return json({"items": rows, "next": next_cursor})


def error_json(error: VigilError) -> HTTPResponse:
    """An error as the API gives all its errors."""
    body = {"code": error.code, "message": error.message, "hint": error.hint}
    headers = {}
    if error.retry_after is not None:
        headers["retry-after"] = str(max(1, round(error.retry_after)))
    return json({"error": body}, error.status, headers)


def wants_json(request: Request) -> bool:
    """Whether an error should be JSON: API paths, and whoever does not accept HTML."""
    path = request.path
    if path == "/stream" or path.startswith(API_PATHS):
        return True
    return "text/html" not in request.headers.get("accept", "")


async def page(request: Request, template: str, status: int = 200, **values: Any) -> HTTPResponse:
    """An HTML page from templates/; knows who is signed in and carries a strict CSP."""
    nonce = secrets.token_urlsafe(16)
    identity = await auth.identify(request)
    body = (
        environment()
        .get_template(template)
        .render(
            request=request,
            settings=context(request).settings,
            identity=identity,
            nonce=nonce,
            now=context(request).clock.now(),
            **values,
        )
    )
    return HTTPResponse(
        body,
        status,
        headers={
            "content-security-policy": content_security_policy(request, nonce),
            "x-content-type-options": "nosniff",
            "referrer-policy": "strict-origin-when-cross-origin",
            "permissions-policy": "camera=(), microphone=(), geolocation=()",
            "cross-origin-opener-policy": "same-origin",
            "cache-control": "no-store" if identity else "no-cache",
        },
        content_type="text/html; charset=utf-8",
    )


def content_security_policy(request: Request, nonce: str) -> str:
    """What a page may load: our own files; pictures and video of streams; players in frames."""
    # A site served over plain http shows pictures of plain http hosts; over https never.
    public_url = context(request).settings.public_url or "http:"
    remote = "https:" if public_url.startswith("https:") else "https: http:"
    return (
        "default-src 'none'; base-uri 'none'; object-src 'none'; frame-ancestors 'self'; "
        f"form-action 'self'; script-src 'nonce-{nonce}' 'strict-dynamic'; style-src 'self' "
        f"'nonce-{nonce}'; img-src 'self' data: {remote}; media-src 'self' blob: {remote}; "
        f"connect-src 'self' {remote}; frame-src {remote}; worker-src 'self' blob:; "
        "font-src 'self'; manifest-src 'self'"
    )


def redirect(location: str, status: int = 303) -> HTTPResponse:
    """Send the browser to another page of ours; raises Invalid for any other place."""
    parts = urlsplit(location)
    # A browser takes a backslash for a slash and leaves out tabs; a line break ends the header.
    risky = "\\" in location or any(ord(c) <= 32 or ord(c) == 127 for c in location)
    if parts.scheme or parts.netloc or risky or not location.startswith("/"):
        raise Invalid("a redirect may only lead to a page of this site")
    return HTTPResponse(status=status, headers={"location": location})


@lru_cache
def environment() -> jinja2.Environment:
    """The Jinja environment of templates/, autoescaped; unknown names are errors."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(ROOT / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["iso"] = _iso
    made.filters["bytes"] = human.size
    made.filters["span"] = human.span
    made.filters["sentence"] = _sentence
    made.globals["static"] = static
    made.globals["import_map"] = import_map
    made.globals["version"] = __version__
    return made


def static(path: str) -> str:
    """The address of a file under static/, with its digest, so that it may be cached for ever."""
    return f"/static/{path}?v={digest(path)}"


def digest(path: str) -> str:
    """16 hexadecimal digits of the SHA-256 of a file under static/."""
    file = STATIC / path
    stat = file.stat()
    return _digest(file, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=256)
def _digest(file: Path, _modified: int, _size: int) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()[:16]


def import_map() -> markupsafe.Markup:
    """The import map of our ES modules: ``./site.js`` in one becomes its cacheable address."""
    names = (f"js/{path.name}" for path in sorted((STATIC / "js").glob("*.js")))
    found = msgspec.json.encode({"imports": {f"/static/{name}": static(name) for name in names}})
    return markupsafe.Markup(found.decode().replace("<", "\\u003c"))  # noqa: S704 - only our file names


def _iso(moment: datetime | None) -> str:
    return "" if moment is None else moment.astimezone(UTC).isoformat(timespec="milliseconds")


def _sentence(text: str | None) -> str:
    """An error's words, which begin small, as a sentence of their own."""
    if not text:
        return ""
    return f"{text[0].upper()}{text[1:]}{'' if text[-1] in '.!?…' else '.'}"


async def blob(
    request: Request,
    key: str,
    *,
    content_type: str | None = None,
    immutable: bool = False,
    download: str | None = None,
) -> HTTPResponse | None:
    """A blob from the store, streamed, with ranges (RFC 9110 §14), ETag and HEAD.

    Args:
        request: the request; its Range and If-None-Match headers are honoured.
        key: of the blob; raises NotFound when there is none.
        content_type: guessed from the key when not given.
        immutable: whether the bytes under this address never change.
        download: file name to save it under.
    """
    storage = context(request).storage
    info = await storage.head(key)
    if info is None:
        raise NotFound("this file is no longer here")
    etag = f'"{info.etag}"'
    headers = {
        "etag": etag,
        "accept-ranges": "bytes",
        "x-content-type-options": "nosniff",
        "cache-control": "public, max-age=31536000, immutable" if immutable else "no-cache",
    }
    if download:
        headers["content-disposition"] = disposition(download)
    if etag_matches(request.headers.get("if-none-match"), etag):
        return HTTPResponse(status=304, headers=headers)
    kind = content_type or mimetypes.guess_type(key)[0] or "application/octet-stream"
    start, end, status = 0, info.size, 200
    wanted = request.headers.get("range")
    if wanted and request.headers.get("if-range", etag) == etag:
        span = parse_range(wanted, info.size)
        if span is None:
            headers["content-range"] = f"bytes */{info.size}"
            return HTTPResponse(status=416, headers=headers)
        if span != (0, info.size):
            start, end = span
            status = 206
            headers["content-range"] = f"bytes {start}-{end - 1}/{info.size}"
    headers["content-length"] = str(end - start)
    if request.method == "HEAD":
        return HTTPResponse(status=status, headers=headers, content_type=kind)
    if end - start <= CHUNK:
        body = await storage.get_range(key, start, end)
        return HTTPResponse(body, status, headers=headers, content_type=kind)
    response = await request.respond(
        HTTPResponse(status=status, headers=headers, content_type=kind)
    )
    for position in range(start, end, CHUNK):
        await response.send(await storage.get_range(key, position, min(position + CHUNK, end)))
    await response.eof()
    return None


def etag_matches(header: str | None, etag: str) -> bool:
    """Whether an If-None-Match header names this entity tag (weak comparison, RFC 9110 §8.8.3)."""
    if not header:
        return False
    given = {tag.strip().removeprefix("W/") for tag in header.split(",")}
    return etag.removeprefix("W/") in given or given == {"*"}


def disposition(name: str) -> str:
    """The Content-Disposition of a download with that file name (RFC 6266)."""
    plain = re.sub(r"[^A-Za-z0-9._ -]+", "-", name).strip(" .-") or "download"
    exact = quote(name.replace("/", "-"), safe="")
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{exact}"


def parse_range(header: str, size: int) -> tuple[int, int] | None:
    """Start (inclusive) and end (exclusive) of one byte range; ``None`` when unsatisfiable.

    Several ranges, or a header that is not one of bytes, count as the whole (RFC 9110 §14.2).
    """
    match = re.fullmatch(r"\s*bytes\s*=\s*(\d{0,18})\s*-\s*(\d{0,18})\s*", header)
    if not match or match[1] == match[2] == "":
        return (0, size)
    if match[1] == "":
        length = min(int(match[2]), size)
        return (size - length, size) if length else None
    start = int(match[1])
    end = min(int(match[2]) + 1, size) if match[2] else size
    if match[2] and int(match[2]) < start:
        return (0, size)
    return (start, end) if start < size else None


async def event_stream(
    request: Request, messages: AsyncIterator[tuple[str, Any]]
) -> ResponseStream | None:
    """Server-sent events (WHATWG HTML §9.2): each (name, value) becomes one event with JSON data.

    A comment each 15 s keeps proxies from closing the line. Ends when the browser leaves, the
    process stops or the generator fails; a browser that is still there connects again.
    """
    response = await request.respond(
        headers={"cache-control": "no-store", "x-accel-buffering": "no"},
        content_type="text/event-stream; charset=utf-8",
    )
    stopping: asyncio.Event = request.app.ctx.stopping
    upcoming: asyncio.Future[tuple[str, Any]] = asyncio.ensure_future(anext(messages))
    ended = asyncio.ensure_future(stopping.wait())
    try:
        await response.send("retry: 2000\n\n")
        while True:
            await asyncio.wait(
                (upcoming, ended), timeout=KEEP_ALIVE_S, return_when=asyncio.FIRST_COMPLETED
            )
            if ended.done():
                break
            if not upcoming.done():
                await response.send(": still here\n\n")
                continue
            try:
                name, value = upcoming.result()
            except StopAsyncIteration:
                break
            except Exception as error:
                log.warning("site", f"{request.path}: events end: {error or type(error).__name__}")
                break
            data = _encoder.encode(value).decode()
            await response.send(f"event: {name}\ndata: {data}\n\n")
            upcoming = asyncio.ensure_future(anext(messages))
    finally:
        upcoming.cancel()
        ended.cancel()
        await asyncio.gather(upcoming, ended, return_exceptions=True)
        if isinstance(messages, AsyncGenerator):
            await messages.aclose()  # lets go of what it listens to
    await response.eof()
    return None


def cursor_encode(*values: Any) -> str:
    """An opaque cursor for the ``next`` of a list."""
    return msgspec.json.encode(values, enc_hook=str).hex()


def cursor_decode(text: str, *types: type) -> tuple[Any, ...]:
    """The values of a cursor; raises Invalid for anything that ``cursor_encode`` did not make."""
    try:
        found: tuple[Any, ...] = msgspec.json.decode(
            bytes.fromhex(text), type=tuple.__class_getitem__(types)
        )
    except (ValueError, msgspec.MsgspecError):
        raise Invalid("this cursor is not one of ours", hint="begin without it") from None
    return found

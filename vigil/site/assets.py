"""The files under static/: read once, compressed once, cached by browsers for ever.

An address with the right ``?v=<digest>`` (what ``static()`` in a template makes) never changes
its content; one without is checked by its ETag at each use.
"""

from __future__ import annotations

import gzip
import mimetypes
import re
from dataclasses import dataclass
from functools import lru_cache

from sanic import HTTPResponse, Request

from vigil import responses
from vigil.errors import NotFound

FOR_EVER = "public, max-age=31536000, immutable"
_PATH = re.compile(r"(?:[A-Za-z0-9_-][A-Za-z0-9._-]*/)*[A-Za-z0-9_-][A-Za-z0-9._-]*")
_COMPRESSIBLE = ("text/", "application/json", "image/svg+xml")
_TYPES = {".js": "text/javascript", ".svg": "image/svg+xml", ".ico": "image/x-icon"}


@dataclass(frozen=True, slots=True)
class Asset:
    """A file as it is sent."""

    body: bytes
    gzipped: bytes | None
    """Where that is smaller."""
    digest: str
    content_type: str


def find(path: str) -> Asset | None:
    """The file of that path below static/; ``None`` for everything else."""
    if not _PATH.fullmatch(path):
        return None
    file = responses.STATIC / path
    try:
        stat = file.stat()
        return _load(path, stat.st_mtime_ns, stat.st_size) if file.is_file() else None
    except (FileNotFoundError, NotADirectoryError):
        return None


@lru_cache(maxsize=256)
def _load(path: str, _modified: int, _size: int) -> Asset:
    file = responses.STATIC / path
    body = file.read_bytes()
    kind = _TYPES.get(file.suffix) or mimetypes.guess_type(path)[0] or "application/octet-stream"
    gzipped = None
    if kind.startswith(_COMPRESSIBLE):
        packed = gzip.compress(body, 9, mtime=0)
        gzipped = packed if len(packed) < len(body) else None
        kind = f"{kind}; charset=utf-8"
    return Asset(body, gzipped, responses.digest(path), kind)


def respond(request: Request, path: str) -> HTTPResponse:
    """Answer with a file; raises NotFound."""
    asset = find(path)
    if asset is None:
        raise NotFound("there is no such file")
    zipped = asset.gzipped is not None and "gzip" in request.headers.get("accept-encoding", "")
    etag = f'"{asset.digest}{"-gz" if zipped else ""}"'
    headers = {
        "etag": etag,
        "vary": "accept-encoding",
        "x-content-type-options": "nosniff",
        "cache-control": FOR_EVER if request.args.get("v") == asset.digest else "no-cache",
    }
    if responses.etag_matches(request.headers.get("if-none-match"), etag):
        return HTTPResponse(status=304, headers=headers)
    if zipped:
        headers["content-encoding"] = "gzip"
    body = asset.gzipped if zipped and asset.gzipped is not None else asset.body
    return HTTPResponse(body, headers=headers, content_type=asset.content_type)

"""A JSON body that is made once and sent to many: compressed and tagged when it is made."""

from __future__ import annotations

import gzip
import hashlib

from sanic import HTTPResponse, Request

from vigil import responses

SMALLEST_COMPRESSED = 500
"""Bytes; what is shorter fits a packet as it is."""
LEVEL = 6


class Prepared:
    """A body with its entity tag, as it is and compressed.

    The tag is weak, since one stands for both forms (RFC 9110 §8.8.1).
    """

    __slots__ = ("_gzip_headers", "_headers", "body", "etag", "gzipped")

    def __init__(self, body: bytes) -> None:
        self.body = body
        self.etag = etag(body)
        self.gzipped = (
            gzip.compress(body, LEVEL, mtime=0) if len(body) >= SMALLEST_COMPRESSED else None
        )
        self._headers = tagged(self.etag)
        if self.gzipped is not None:
            self._headers["vary"] = "accept-encoding"
        self._gzip_headers = self._headers | {"content-encoding": "gzip"}

    def answer(self, request: Request) -> HTTPResponse:
        """The body in the form the client takes, or 304 when it has it already."""
        asked = request.headers
        if responses.etag_matches(asked.get("if-none-match"), self.etag):
            return HTTPResponse(status=304, headers=self._headers)
        body, headers = self.body, self._headers
        if self.gzipped is not None and takes_gzip(asked.get("accept-encoding")):
            body, headers = self.gzipped, self._gzip_headers
        return HTTPResponse(body, headers=headers, content_type="application/json")


def answer(request: Request, body: bytes, content_type: str = "application/json") -> HTTPResponse:
    """A body made for this request, or 304 when the client has it already."""
    tag = etag(body)
    if responses.etag_matches(request.headers.get("if-none-match"), tag):
        return HTTPResponse(status=304, headers=tagged(tag))
    return HTTPResponse(body, headers=tagged(tag), content_type=content_type)


def etag(body: bytes) -> str:
    """The weak entity tag of a body."""
    return f'W/"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'


def tagged(tag: str) -> dict[str, str]:
    """Headers of a public JSON answer that may be kept, but is asked for again each time."""
    return responses.JSON_HEADERS | {
        "cache-control": "no-cache",
        "etag": tag,
        "access-control-expose-headers": "etag",
    }


def takes_gzip(accept: str | None) -> bool:
    """Whether an Accept-Encoding header takes gzip (RFC 9110 §12.5.3)."""
    if not accept or "gzip" not in accept:
        return False
    if ";" not in accept:
        return True
    for part in accept.split(","):
        name, _, weight = part.partition(";")
        if name.strip() == "gzip":
            return weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False

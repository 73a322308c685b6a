"""A bucket on loopback that speaks S3: ListObjectsV2, GetObject, where it takes anything also
PutObject and DeleteObject; signed requests only.

What it does is in the API reference of Amazon S3: keys in the order of their UTF-8,
``start-after``, ``continuation-token``, at most ``page`` keys at a time.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from email.utils import format_datetime
from urllib.parse import unquote
from xml.sax.saxutils import escape

from aiohttp import web

from tests.servers.loopback import Loopback

NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
MODIFIED = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


class S3(Loopback):
    """One bucket; ``objects`` are its keys and their bytes."""

    def __init__(self, bucket: str, key_id: str = "AKIATEST", *, takes: bool = False) -> None:
        super().__init__()
        self.bucket = bucket
        self.key_id = key_id
        self.takes = takes
        """Whether it can be written to."""
        self.page = 1000
        self.objects: dict[str, bytes] = {}
        self.broken = False
        """Whether every request fails."""

    def environment(self) -> dict[str, str]:
        """What a client is told of it."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ALLOW_HTTP": "true",
            "AWS_ACCESS_KEY_ID": self.key_id,
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_REGION": "eu-central-1",
        }

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        if self.broken:
            return _error(500, "InternalError")
        signed = request.headers.get("authorization", "")
        if f"AWS4-HMAC-SHA256 Credential={self.key_id}/" not in signed:
            return _error(403, "AccessDenied")
        path = unquote(request.rel_url.raw_path).lstrip("/")
        bucket, _, key = path.partition("/")
        if bucket != self.bucket:
            return _error(404, "NoSuchBucket")
        if not key:
            return self._listed(request)
        if request.method == "PUT" and self.takes:
            self.objects[key] = await request.read()
            return web.Response(headers={"etag": _tag(self.objects[key])})
        if request.method == "DELETE" and self.takes:
            self.objects.pop(key, None)
            return web.Response(status=204)
        if key not in self.objects:
            return _error(404, "NoSuchKey")
        data = self.objects[key]
        headers = {"etag": _tag(data), "last-modified": format_datetime(MODIFIED, usegmt=True)}
        return web.Response(body=data, headers=headers)

    def _listed(self, request: web.BaseRequest) -> web.Response:
        asked = request.rel_url.query
        after = str(asked.get("continuation-token") or asked.get("start-after", ""))
        most = min(self.page, int(asked.get("max-keys", self.page)))
        keys = sorted(
            (one for one in self.objects if one.startswith(asked.get("prefix", ""))),
            key=str.encode,
        )
        keys = [one for one in keys if one.encode() > after.encode()]
        page, more = keys[:most], len(keys) > most
        contents = "".join(
            f"<Contents><Key>{escape(one)}</Key><Size>{len(self.objects[one])}</Size>"
            f"<LastModified>{MODIFIED:%Y-%m-%dT%H:%M:%S.000Z}</LastModified>"
            f"<ETag>{escape(_tag(self.objects[one]))}</ETag></Contents>"
            for one in page
        )
        token = f"<NextContinuationToken>{escape(page[-1])}</NextContinuationToken>" if more else ""
        return web.Response(
            text=f'<?xml version="1.0" encoding="UTF-8"?><ListBucketResult xmlns="{NAMESPACE}">'
            f"<Name>{self.bucket}</Name><KeyCount>{len(page)}</KeyCount>{token}"
            f"<IsTruncated>{'true' if more else 'false'}</IsTruncated>{contents}"
            "</ListBucketResult>",
            content_type="application/xml",
        )


def _tag(data: bytes) -> str:
    return f'"{hashlib.md5(data, usedforsecurity=False).hexdigest()}"'


def _error(status: int, code: str) -> web.Response:
    text = f"<Error><Code>{code}</Code><Message>{code}</Message></Error>"
    return web.Response(status=status, text=text, content_type="application/xml")

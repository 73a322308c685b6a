"""Buckets of others, read only: what lies there, in the order of its names, and its bytes.

Credentials and endpoint come from the usual variables of each (``AWS_…``, ``GOOGLE_…``,
``AZURE_…``), never from the address.
"""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import obstore
from obstore.exceptions import BaseError
from obstore.store import from_url

from vigil.errors import Invalid, NotFound, Unavailable

if TYPE_CHECKING:
    from obstore.store import ObjectStore

SCHEMES = ("s3", "gs", "az")
LISTED_AT_ONCE = 1000
_CREDENTIALS = "do AWS_…, GOOGLE_… or AZURE_… in the environment say who we are, and where it is?"

Listed = tuple[str, int, datetime]
"""Key, bytes, and when it was last written, UTC."""


def check_url(url: str) -> str:
    """The address of a bucket in canonical form, ``s3://bucket/prefix``; raises Invalid."""
    parts = urlsplit(url)
    if parts.scheme not in SCHEMES or not parts.hostname:
        raise Invalid("that is no bucket", hint="s3://bucket/prefix, gs://… or az://…")
    if parts.username is not None or parts.query or parts.fragment:
        raise Invalid("a bucket's address carries no credentials and no query", hint=_CREDENTIALS)
    path = "/".join(part for part in unquote(parts.path).split("/") if part)
    if any(part in (".", "..") for part in path.split("/")) or not path.isprintable():
        raise Invalid("the prefix of the bucket cannot be used")
    return f"{parts.scheme}://{parts.netloc}{'/' if path else ''}{path}"


class Bucket:
    """A bucket, or what lies below a prefix of it; keys are relative to that."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    @classmethod
    def open(cls, url: str) -> Bucket:
        """The bucket at an address; nothing is sent yet. Raises Invalid, Unavailable."""
        try:
            return cls(
                from_url(
                    check_url(url),
                    client_options={
                        "connect_timeout": "5s",
                        "timeout": "60s",
                        # options that are given here hide what the environment says of them
                        "allow_http": os.environ.get("AWS_ALLOW_HTTP", "").lower() == "true",
                    },
                    retry_config={"max_retries": 3, "retry_timeout": timedelta(seconds=30)},
                )
            )
        except (BaseError, OSError, ValueError) as error:
            raise Unavailable(
                f"the bucket cannot be opened: {_said(error)}", hint=_CREDENTIALS
            ) from error

    async def pages(self, after: str | None) -> AsyncGenerator[list[Listed], None]:
        """Everything whose key comes after one, in the order of keys, a page at a time."""
        try:
            async for page in obstore.list(self._store, offset=after, chunk_size=LISTED_AT_ONCE):
                yield [(meta["path"], meta["size"], meta["last_modified"]) for meta in page]
        except (BaseError, OSError, ValueError) as error:
            raise Unavailable(
                f"the bucket cannot be listed: {_said(error)}", hint=_CREDENTIALS
            ) from error

    async def get(self, key: str) -> bytes:
        """The bytes of one; raises NotFound, Unavailable."""
        try:
            answer = await obstore.get_async(self._store, key)
            return bytes(await answer.bytes_async())
        except FileNotFoundError as error:
            raise NotFound("it is no longer in the bucket") from error
        except (BaseError, OSError, ValueError) as error:
            raise Unavailable(f"the bucket failed: {_said(error)}", hint=_CREDENTIALS) from error


def _said(error: Exception) -> str:
    """The first line of obstore's message; the debugging output after it may name secrets."""
    return str(error).strip().split("\n", 1)[0][:300] or type(error).__name__

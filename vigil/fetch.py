"""The way out: every HTTP request that Vigil makes goes through here.

A host is resolved first, each of its addresses is checked, and the connection goes to exactly
such an address (the URL carries it, ``Host`` and TLS carry the name), so a second answer of the
DNS can change nothing. Whether private addresses are allowed is the caller's word: ``private=True``
only for what an admin configured.
"""

from __future__ import annotations

import asyncio
import random
import socket
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from types import TracebackType
from typing import Any, Self
from weakref import WeakValueDictionary

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from multidict import CIMultiDict
from yarl import URL

from vigil import __version__, log
from vigil.addresses import AddressBook, IsPublic, Resolve, parse, show
from vigil.answers import FetchError, Response, Stream, raise_for
from vigil.clock import Clock
from vigil.errors import Forbidden, Invalid

__all__ = ["FetchError", "Fetcher", "Response", "Stream"]

USER_AGENT = f"Vigil/{__version__}"
REDIRECTS = frozenset({301, 302, 303, 307, 308})
MAX_REDIRECTS = 5
PER_HOST = 8
"""Requests under way to one host, unless somebody asks for more; open streams do not count."""
_STATUSES = frozenset(HTTPStatus)
CONNECT_TIMEOUT_S = 10.0
RETRY_AFTER_MOST_S = 30.0
"""A longer Retry-After is not waited for here: the error carries it to the caller."""


@dataclass(frozen=True, kw_only=True)
class _Order:
    """One request as it was asked for."""

    method: str
    private: bool
    timeout_s: float
    headers: Mapping[str, str] | None
    auth: tuple[str, str] | None
    data: Any = None
    json: Any = None
    idle_timeout_s: float | None = None


class Fetcher:
    """Makes requests; one for each process, used as an async context manager.

    Args:
        clock: measures waits between retries.
        resolve: host and port → addresses; the system's resolver unless a test says otherwise.
        is_public: which addresses anybody may be sent to.
    """

    def __init__(
        self, *, clock: Clock, resolve: Resolve | None = None, is_public: IsPublic | None = None
    ) -> None:
        self._clock = clock
        self._addresses = AddressBook(clock, resolve, is_public)
        self._slots: WeakValueDictionary[tuple[str, int, int], asyncio.Semaphore] = (
            WeakValueDictionary()
        )
        self._digests: dict[tuple[str, str, str], aiohttp.DigestAuthMiddleware] = {}
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, resolver=_Nobody(), use_dns_cache=False),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": USER_AGENT, "Accept-Encoding": "gzip, deflate"},
            trust_env=False,
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def get(
        self,
        url: str,
        *,
        private: bool = False,
        params: Mapping[str, str] | list[tuple[str, str]] | None = None,
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        max_bytes: int = 16 * 1024 * 1024,
        timeout_s: float = 20.0,
        retries: int = 2,
        statuses_ok: Collection[int] = (200,),
        at_once: int = PER_HOST,
    ) -> Response:
        """GET ``url`` and read the whole answer.

        Args:
            url: http or https; user and password in it become basic (or digest) authentication.
            private: whether it may be, or lead from a private address to, a private address.
            params: query, put behind the one that ``url`` has.
            headers: sent along, but not to another origin after a redirect.
            auth: user and password, stronger than those in ``url``.
            max_bytes: of the body once it is decompressed.
            timeout_s: for one attempt, redirects included.
            retries: further attempts after 429, 5xx or a lost connection.
            statuses_ok: statuses that are an answer; every other raises FetchError.
            at_once: requests that may be under way to this host; those with another number are
                counted apart.

        Raises Forbidden for an address that is not allowed, Invalid for a URL that is none, and
        FetchError for everything that went wrong on the way.
        """
        order = _Order(
            method="GET", private=private, timeout_s=timeout_s, headers=headers, auth=auth
        )
        target = parse(url).extend_query(params or ())
        return await self._attempts(target, order, max_bytes, retries, statuses_ok, at_once)

    async def post(
        self,
        url: str,
        *,
        private: bool = False,
        data: Mapping[str, str] | bytes | None = None,
        json: Any = None,
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        max_bytes: int = 16 * 1024 * 1024,
        timeout_s: float = 20.0,
        retries: int = 2,
        statuses_ok: Collection[int] = (200,),
    ) -> Response:
        """POST form fields, bytes or JSON; otherwise like ``get``.

        Follows no redirect (what is sent may be secret) and tries again only where the request
        certainly never arrived.
        """
        order = _Order(
            method="POST",
            private=private,
            timeout_s=timeout_s,
            headers=headers,
            auth=auth,
            data=data,
            json=json,
        )
        return await self._attempts(parse(url), order, max_bytes, retries, statuses_ok)

    @asynccontextmanager
    async def open(
        self,
        url: str,
        *,
        private: bool = False,
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        idle_timeout_s: float = 15.0,
        statuses_ok: Collection[int] = (200,),
    ) -> AsyncIterator[Stream]:
        """GET something that may never end, e.g. the MJPEG of a camera. One attempt, no size cap.

        Args: as for ``get``; ``idle_timeout_s``: the longest silence, before the answer and in it.
        """
        order = _Order(
            method="GET",
            private=private,
            timeout_s=idle_timeout_s,
            headers=headers,
            auth=auth,
            idle_timeout_s=idle_timeout_s,
        )
        target = parse(url)
        async with _deadline(target, idle_timeout_s):
            response, final = await self._follow(target, order)
        try:
            self._check_status(response, final, statuses_ok)
            yield Stream(response, str(final), idle_timeout_s)
        finally:
            response.close()

    async def check_address(self, host: str, port: int, *, private: bool) -> list[str]:
        """The addresses of a host, at least one; every one of them may be connected to.

        Raises Forbidden when one is not public and ``private`` is False, FetchError when the name
        cannot be found.
        """
        return await self._addresses.look_up(host, port, private=private)

    async def _attempts(
        self,
        url: URL,
        order: _Order,
        max_bytes: int,
        retries: int,
        statuses_ok: Collection[int],
        at_once: int = PER_HOST,
    ) -> Response:
        slot = self._slots.setdefault((*_place(url), at_once), asyncio.Semaphore(at_once))
        attempt = 0
        while True:
            try:
                async with slot, _deadline(url, order.timeout_s):
                    return await self._attempt(url, order, max_bytes, statuses_ok)
            except FetchError as error:
                may = error.again if order.method == "GET" else error.unsent
                delay = max(error.retry_after or 0.0, random.uniform(0.25, 0.5) * 2**attempt)  # noqa: S311 - jitter
                if attempt >= retries or not may or delay > RETRY_AFTER_MOST_S:
                    raise
                log.debug("fetch", f"{error.message}; again in {delay:.1f} s")
            attempt += 1
            await self._clock.sleep(delay)

    async def _attempt(
        self, url: URL, order: _Order, max_bytes: int, statuses_ok: Collection[int]
    ) -> Response:
        response, final = await self._follow(url, order)
        try:
            self._check_status(response, final, statuses_ok)
            body = bytearray()
            length = response.content_length or 0
            async for chunk in response.content.iter_any():
                body += chunk
                if max(len(body), length) > max_bytes:
                    break
            if max(len(body), length) > max_bytes:
                raise FetchError(f"{show(final)} sent more than {max_bytes / 1e6:.3g} MB")
            return Response(response.status, response.headers, bytes(body), str(final))
        except (aiohttp.ClientError, OSError) as error:
            raise_for(error, show(final), order.timeout_s)
        finally:
            response.close()  # after a whole answer the connection is back in the pool already

    def _check_status(
        self, response: aiohttp.ClientResponse, url: URL, statuses_ok: Collection[int]
    ) -> None:
        status = response.status
        if status in statuses_ok:
            return
        hint = None
        if status in (401, 403):
            hint = "look at the user name, password or key"
        elif status in (404, 410):
            hint = "look at the address"
        # Our own words for the status: theirs may hold anything.
        phrase = HTTPStatus(status).phrase if status in _STATUSES else ""
        raise FetchError(
            f"{show(url)} answered {status} {phrase}".rstrip(),
            http_status=status,
            again=status == 429 or status >= 500,
            hint=hint,
            retry_after=self.retry_after(response.headers),
        )

    def retry_after(self, headers: Mapping[str, str]) -> float | None:
        """Seconds that a Retry-After header asks for (RFC 9110 §10.2.3), at most a day."""
        text = headers.get("retry-after", "").strip()
        if text.isascii() and text.isdigit() and len(text) < 10:
            return min(float(text), 86_400.0)
        try:
            moment = parsedate_to_datetime(text)
        except (ValueError, IndexError):
            return None
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return min(max(0.0, (moment - self._clock.now()).total_seconds()), 86_400.0)

    async def _follow(self, url: URL, order: _Order) -> tuple[aiohttp.ClientResponse, URL]:
        """The answer and where it came from, after redirects; the caller closes it."""
        auth, headers, private = order.auth or _credentials(url), order.headers, order.private
        if auth is not None and ":" in auth[0]:
            raise Invalid("a user name cannot hold a colon")  # RFC 7617 §2
        url = asked = url.with_user(None).with_fragment(None)
        for _ in range(MAX_REDIRECTS + 1):
            try:
                response, address = await self._connect(url, order, headers, auth, private)
            except Forbidden as error:
                if url is asked:
                    raise
                raise Forbidden(f"{show(asked)} redirects to a private address") from error
            location = response.headers.get("location")
            if response.status not in REDIRECTS or not location:
                return response, url
            response.close()
            if order.method != "GET":
                raise FetchError(
                    f"{show(url)} has moved",
                    http_status=response.status,
                    hint="use its new address",
                )
            try:
                target = parse(str(url.join(URL(location)))).with_user(None).with_fragment(None)
            except (Invalid, ValueError) as error:
                raise FetchError(f"{show(url)} redirects to something that is no URL") from error
            private = private and not self._addresses.is_public(address)
            if target.origin() != url.origin():
                auth, headers = None, None
            url = target
        raise FetchError(f"{show(url)}: redirected more than {MAX_REDIRECTS} times")

    async def _connect(
        self,
        url: URL,
        order: _Order,
        headers: Mapping[str, str] | None,
        auth: tuple[str, str] | None,
        private: bool,
    ) -> tuple[aiohttp.ClientResponse, str]:
        """Ask the first address that takes the connection."""
        host, port = _place(url)
        addresses = await self.check_address(host, port, private=private)
        for address in addresses:
            try:
                return await self._ask(address, url, order, headers, auth), address
            except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
                if address == addresses[-1]:
                    self._addresses.forget(host, port)
                    raise_for(error, show(url), order.timeout_s)
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                raise_for(error, show(url), order.timeout_s)
        raise AssertionError("check_address returns at least one address")

    async def _ask(
        self,
        address: str,
        url: URL,
        order: _Order,
        headers: Mapping[str, str] | None,
        auth: tuple[str, str] | None,
    ) -> aiohttp.ClientResponse:
        pinned = url.with_host(address)
        sent: CIMultiDict[str] = CIMultiDict(headers or {})
        sent["Host"] = url.host_port_subcomponent or ""
        if auth is None:
            return await self._request(pinned, url, order, sent, None)
        key = (str(pinned.origin()), *auth)
        digest = self._digests.get(key)
        if digest is None:
            sent["Authorization"] = aiohttp.encode_basic_auth(*auth, encoding="utf-8")
        response = await self._request(pinned, url, order, sent, digest)
        challenges = " ".join(response.headers.getall("www-authenticate", [])).lower()
        if digest is not None or response.status != 401 or "digest " not in challenges:
            return response
        response.close()
        if len(self._digests) > 1000:
            self._digests.clear()
        digest = self._digests[key] = aiohttp.DigestAuthMiddleware(*auth)
        del sent["Authorization"]
        return await self._request(pinned, url, order, sent, digest)

    async def _request(
        self,
        pinned: URL,
        url: URL,
        order: _Order,
        headers: CIMultiDict[str],
        digest: aiohttp.DigestAuthMiddleware | None,
    ) -> aiohttp.ClientResponse:
        if self._session is None:
            raise RuntimeError("a Fetcher is used as a context manager")
        return await self._session.request(
            order.method,
            pinned,
            data=order.data,
            json=order.json,
            headers=headers,
            allow_redirects=False,
            server_hostname=url.raw_host if url.scheme == "https" else None,
            middlewares=(digest,) if digest else (),
            timeout=aiohttp.ClientTimeout(
                sock_connect=min(CONNECT_TIMEOUT_S, order.timeout_s), sock_read=order.idle_timeout_s
            ),
        )


class _Nobody(AbstractResolver):
    """The connector never resolves anything: that is ``check_address``'s work."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        raise OSError(f"{host} was not resolved before")

    async def close(self) -> None:
        """Nothing to close."""


def _place(url: URL) -> tuple[str, int]:
    return url.raw_host or "", url.port or 0


def _credentials(url: URL) -> tuple[str, str] | None:
    return (url.user or "", url.password or "") if url.user or url.password else None


@asynccontextmanager
async def _deadline(url: URL, seconds: float) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as error:
        raise FetchError(f"{show(url)} did not answer within {seconds:g} s") from error

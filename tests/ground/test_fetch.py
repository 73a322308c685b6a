"""fetch: only allowed addresses, bounded answers, polite retries, no secret in a message."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import socket
import ssl
import time
import tracemalloc
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web

from tests.servers.loopback import Handler, Loopback, cut
from vigil.addresses import is_public_address
from vigil.clock import FakeClock, SystemClock
from vigil.errors import Forbidden, Invalid
from vigil.fetch import PER_HOST, Fetcher, FetchError

SECRET = "hunter2"


@pytest_asyncio.fixture
async def fetcher() -> AsyncIterator[Fetcher]:
    async with Fetcher(clock=SystemClock()) as opened:
        yield opened


class Names:
    """A DNS of our own, whose answers a test may change at any time."""

    def __init__(self, **names: list[str]) -> None:
        self.names = {name.replace("_", "."): addresses for name, addresses in names.items()}
        self.asked: list[str] = []

    async def __call__(self, host: str, port: int) -> list[str]:
        self.asked.append(host)
        if host not in self.names:
            raise OSError("no such name")
        return self.names[host]


def only_127_0_0_2_is_public(address: str) -> bool:
    """Splits loopback in two, so that a test can have a public and a private server."""
    return address == "127.0.0.2"


def ipv6() -> bool:
    """Whether this machine has an IPv6 loopback."""
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


def text(body: str = "ok", status: int = 200, **headers: str) -> Handler:
    async def answer(_: web.BaseRequest) -> web.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.Response(text=body, status=status, headers=named)

    return answer


class TestAddresses:
    @pytest.mark.parametrize(
        "address",
        ["8.8.8.8", "2606:4700::1111", "64:ff9b::808:808", "2002:808:808::", "::ffff:8.8.8.8"],
    )
    def test_public(self, address: str) -> None:
        assert is_public_address(address)

    @pytest.mark.parametrize(
        "address",
        [
            "127.0.0.1", "127.9.9.9", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254",
            "100.64.0.1", "0.0.0.0", "255.255.255.255", "224.0.0.1", "240.0.0.1", "198.18.0.1",
            "192.0.2.1", "::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1",
            "64:ff9b::7f00:1", "64:ff9b::a00:1", "64:ff9b:1::1", "2002:7f00:1::", "2002:a00:1::1",
            "fe80::1", "fe80::1%eth0", "fec0::1", "fd00::1", "ff02::1", "ff0e::1", "2001:db8::1",
            "5f00::1", "not an address", "",
        ],
    )  # fmt: skip
    def test_private(self, address: str) -> None:
        assert not is_public_address(address)

    @pytest.mark.parametrize(
        "host",
        ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "2130706433",
         "0x7f000001", "127.1", "0"],
    )  # fmt: skip
    async def test_every_spelling_of_loopback_is_refused(self, fetcher: Fetcher, host: str) -> None:
        async with Loopback(text()) as server:
            with pytest.raises(Forbidden, match="private address"):
                await fetcher.get(f"http://{host}:{server.port}/")
            assert not server.requests

    async def test_a_private_address_is_allowed_when_an_admin_said_so(
        self, fetcher: Fetcher
    ) -> None:
        async with Loopback(text("hello")) as server:
            response = await fetcher.get(server.url, private=True)
        assert (response.status, response.body, response.url) == (200, b"hello", server.url)

    async def test_one_private_address_among_public_ones_is_refused(self) -> None:
        names = Names(mixed_test=["8.8.8.8", "10.0.0.1"])
        async with Fetcher(clock=SystemClock(), resolve=names) as fetcher:
            with pytest.raises(Forbidden):
                await fetcher.check_address("mixed.test", 80, private=False)
            assert await fetcher.check_address("mixed.test", 80, private=True) == [
                "8.8.8.8",
                "10.0.0.1",
            ]

    async def test_the_connection_goes_to_the_address_that_was_checked(self) -> None:
        """DNS rebinding: whatever the name says later, the checked address is used."""
        names = Names(rebind_test=["127.0.0.2"])
        clock = FakeClock()
        async with (
            Fetcher(clock=clock, resolve=names, is_public=only_127_0_0_2_is_public) as fetcher,
            Loopback(text("inside")) as inside,
        ):
            public = Loopback(text("outside"), host="127.0.0.2")
            public.port = inside.port
            async with public:
                url = f"http://rebind.test:{inside.port}/"
                assert (await fetcher.get(url)).body == b"outside"
                names.names["rebind.test"] = ["127.0.0.1"]
                assert (await fetcher.get(url)).body == b"outside"
                assert names.asked == ["rebind.test"]
                await clock.advance(60)  # the answer is old: asked again, checked again
                with pytest.raises(Forbidden):
                    await fetcher.get(url)
                assert not inside.requests
                assert public.requests[0].headers["host"] == f"rebind.test:{inside.port}"

    async def test_the_next_address_is_tried_when_one_does_not_answer(self) -> None:
        names = Names(two_test=["127.0.0.3", "127.0.0.1"])
        async with (
            Fetcher(clock=SystemClock(), resolve=names) as fetcher,
            Loopback(text("second")) as server,
        ):
            response = await fetcher.get(f"http://two.test:{server.port}/", private=True)
        assert response.body == b"second"
        assert response.url == f"http://two.test:{server.port}/"

    async def test_an_ipv6_address(self, fetcher: Fetcher) -> None:
        if not ipv6():
            pytest.skip("this machine has no IPv6 loopback")
        async with Loopback(text("six"), host="::1") as server:
            response = await fetcher.get(server.url + "/a", private=True)
            assert (response.body, response.url) == (b"six", f"http://[::1]:{server.port}/a")
            assert server.requests[0].headers["host"] == f"[::1]:{server.port}"

    async def test_a_name_that_does_not_exist(self) -> None:
        async with Fetcher(clock=SystemClock(), resolve=Names()) as fetcher:
            with pytest.raises(FetchError, match=r"the name nowhere\.test cannot be found"):
                await fetcher.get("http://nowhere.test/", retries=0)

    async def test_tls_carries_the_name_and_an_unknown_certificate_is_refused(
        self, tmp_path: Path
    ) -> None:
        (tmp_path / "pem").write_text(CERTIFICATE)
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(tmp_path / "pem")
        asked: list[str | None] = []

        def remember(_: ssl.SSLObject, name: str | None, __: ssl.SSLContext) -> None:
            asked.append(name)

        tls.sni_callback = remember
        async with (
            Fetcher(clock=SystemClock(), resolve=Names(camera_test=["127.0.0.1"])) as fetcher,
            Loopback(text(), tls=tls) as server,
        ):
            with pytest.raises(FetchError, match="certificate that cannot be trusted"):
                await fetcher.get(f"https://camera.test:{server.port}/", private=True)
        assert asked == ["camera.test"]


class TestRedirects:
    async def test_followed_and_the_last_address_is_told(self, fetcher: Fetcher) -> None:
        async def answer(request: web.BaseRequest) -> web.Response:
            if request.path == "/end":
                return web.Response(text=request.query_string)
            raise web.HTTPFound("/end?a=1")

        async with Loopback(answer) as server:
            response = await fetcher.get(server.url + "/start", private=True)
        assert response.body == b"a=1"
        assert response.url == server.url + "/end?a=1"

    async def test_from_public_to_private_is_refused_even_for_an_admin(self) -> None:
        async with (
            Fetcher(clock=SystemClock(), is_public=only_127_0_0_2_is_public) as fetcher,
            Loopback(text("secret")) as inside,
            Loopback(text(status=302, location=inside.url), host="127.0.0.2") as outside,
        ):
            for private in (False, True):
                with pytest.raises(Forbidden, match="redirects to a private address"):
                    await fetcher.get(outside.url, private=private)
            assert not inside.requests

    async def test_from_private_to_private_is_the_admins_own_network(self) -> None:
        async with (
            Fetcher(clock=SystemClock(), is_public=only_127_0_0_2_is_public) as fetcher,
            Loopback(text("picture")) as camera,
            Loopback(text(status=302, location=camera.url)) as gateway,
        ):
            assert (await fetcher.get(gateway.url, private=True)).body == b"picture"

    async def test_private_public_private_is_refused(self) -> None:
        async with (
            Fetcher(clock=SystemClock(), is_public=only_127_0_0_2_is_public) as fetcher,
            Loopback(text("secret")) as inside,
            Loopback(text(status=302, location=inside.url), host="127.0.0.2") as outside,
            Loopback(text(status=307, location=outside.url)) as first,
        ):
            with pytest.raises(Forbidden):
                await fetcher.get(first.url, private=True)
            assert not inside.requests

    @pytest.mark.parametrize("location", ["file:///etc/passwd", "gopher://x/", "http://", "//["])
    async def test_to_something_that_is_no_web_address(
        self, fetcher: Fetcher, location: str
    ) -> None:
        async with Loopback(text(status=302, location=location)) as server:
            with pytest.raises(FetchError):
                await fetcher.get(server.url, private=True)

    async def test_for_ever(self, fetcher: Fetcher) -> None:
        async with Loopback(text(status=302, location="/")) as server:
            with pytest.raises(FetchError, match="redirected more than 5 times"):
                await fetcher.get(server.url, private=True)
            assert len(server.requests) == 6

    async def test_headers_and_credentials_stay_with_their_origin(self, fetcher: Fetcher) -> None:
        async with (
            Loopback(text("there")) as other,
            Loopback(text(status=302, location=other.url)) as first,
        ):
            url = first.url.replace("//", f"//me:{SECRET}@")
            await fetcher.get(url, private=True, headers={"Client-Id": SECRET})
            assert first.requests[0].headers["client-id"] == SECRET
            assert "authorization" in first.requests[0].headers
            assert "client-id" not in other.requests[0].headers
            assert "authorization" not in other.requests[0].headers

    async def test_a_post_is_not_sent_elsewhere(self, fetcher: Fetcher) -> None:
        async with (
            Loopback(text()) as other,
            Loopback(text(status=307, location=other.url)) as server,
        ):
            with pytest.raises(FetchError, match="has moved"):
                await fetcher.post(server.url, data={"secret": SECRET}, private=True)
            assert not other.requests


class TestLimits:
    async def test_a_body_at_and_over_the_cap(self, fetcher: Fetcher) -> None:
        async with Loopback(text("x" * 1000)) as server:
            whole = await fetcher.get(server.url, private=True, max_bytes=1000)
            assert len(whole.body) == 1000
            with pytest.raises(FetchError, match="sent more than"):
                await fetcher.get(server.url, private=True, max_bytes=999)

    async def test_a_body_without_a_length_that_never_ends(self, fetcher: Fetcher) -> None:
        async def endless(request: web.BaseRequest) -> web.StreamResponse:
            response = web.StreamResponse()
            await response.prepare(request)
            while True:
                await response.write(b"x" * 65536)

        async with Loopback(endless) as server:
            with pytest.raises(FetchError, match="sent more than 1 MB"):
                await fetcher.get(server.url, private=True, max_bytes=1_000_000)

    async def test_gzip_is_understood_and_a_bomb_is_refused_while_it_streams(
        self, fetcher: Fetcher
    ) -> None:
        bomb = gzip.compress(bytes(300_000_000), 9)
        small = gzip.compress(b"small")

        async def answer(request: web.BaseRequest) -> web.Response:
            body = bomb if request.path == "/bomb" else small
            return web.Response(body=body, headers={"Content-Encoding": "gzip"})

        async with Loopback(answer) as server:
            assert (await fetcher.get(server.url, private=True)).body == b"small"
            tracemalloc.start()
            with pytest.raises(FetchError, match="sent more than"):
                await fetcher.get(server.url + "/bomb", private=True, max_bytes=2_000_000)
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
        assert len(bomb) < 400_000
        assert peak < 16_000_000

    async def test_broken_gzip(self, fetcher: Fetcher) -> None:
        async with Loopback(text("not gzip", content_encoding="gzip")) as server:
            with pytest.raises(FetchError):
                await fetcher.get(server.url, private=True, retries=0)

    async def test_a_slow_answer(self, fetcher: Fetcher) -> None:
        async def slow(_: web.BaseRequest) -> web.Response:
            await asyncio.sleep(30)
            return web.Response()

        async with Loopback(slow) as server:
            began = time.monotonic()
            with pytest.raises(FetchError, match=r"did not answer within 0\.2 s"):
                await fetcher.get(server.url, private=True, timeout_s=0.2)
        assert time.monotonic() - began < 3
        assert len(server.requests) == 1  # a timeout has cost enough: no retry

    async def test_a_body_that_drips_counts_against_the_same_timeout(
        self, fetcher: Fetcher
    ) -> None:
        async def drip(request: web.BaseRequest) -> web.StreamResponse:
            response = web.StreamResponse()
            await response.prepare(request)
            for _ in range(100):
                await response.write(b"x")
                await asyncio.sleep(0.05)
            return response

        async with Loopback(drip) as server:
            with pytest.raises(FetchError, match="did not answer within"):
                await fetcher.get(server.url, private=True, timeout_s=0.3)

    async def test_only_so_many_at_once_to_one_host(self, fetcher: Fetcher) -> None:
        now = most = 0

        async def count(_: web.BaseRequest) -> web.Response:
            nonlocal now, most
            now += 1
            most = max(most, now)
            await asyncio.sleep(0.02)
            now -= 1
            return web.Response()

        async with Loopback(count) as server:
            await asyncio.gather(*(fetcher.get(server.url, private=True) for _ in range(40)))
        assert most == PER_HOST

    @pytest.mark.parametrize(
        "url", ["", "example.org", "ftp://example.org/", "http://", "http://x:99999/", "file:///x"]
    )
    async def test_what_is_not_a_url_for_us(self, fetcher: Fetcher, url: str) -> None:
        with pytest.raises(Invalid):
            await fetcher.get(url, private=True)


class TestRetries:
    async def test_a_server_error_is_tried_again(self, fetcher: Fetcher) -> None:
        answers = iter([500, 502, 200])

        async def answer(_: web.BaseRequest) -> web.Response:
            return web.Response(status=next(answers))

        async with Loopback(answer) as server:
            assert (await fetcher.get(server.url, private=True)).status == 200

    async def test_not_for_ever_and_the_error_says_what_was_answered(
        self, fetcher: Fetcher
    ) -> None:
        async with Loopback(text(status=503)) as server:
            with pytest.raises(FetchError, match="answered 503 Service Unavailable") as caught:
                await fetcher.get(server.url, private=True, retries=1)
            assert len(server.requests) == 2
        assert caught.value.http_status == 503
        assert caught.value.status == 502  # what our own API answers with

    async def test_their_words_for_a_status_are_not_repeated(self, fetcher: Fetcher) -> None:
        async def odd(request: web.BaseRequest) -> web.Response:
            status = int(request.path[1:])
            return web.Response(status=status, reason="<script>alert(1)</script>")

        async with Loopback(odd) as server:
            with pytest.raises(FetchError) as caught:
                await fetcher.get(server.url + "/403", private=True)
            assert caught.value.message.endswith("/403 answered 403 Forbidden")
            with pytest.raises(FetchError) as caught:
                await fetcher.get(server.url + "/499", private=True)
            assert caught.value.message.endswith("/499 answered 499")

    async def test_not_found_is_not_tried_again(self, fetcher: Fetcher) -> None:
        async with Loopback(text(status=404)) as server:
            with pytest.raises(FetchError, match="answered 404 Not Found"):
                await fetcher.get(server.url, private=True)
            assert len(server.requests) == 1

    async def test_a_cut_connection_is_tried_again(self, fetcher: Fetcher) -> None:
        count = 0

        async def answer(request: web.BaseRequest) -> web.StreamResponse:
            nonlocal count
            count += 1
            if count == 1:
                cut(request)
            if count == 2:
                response = web.StreamResponse(headers={"Content-Length": "100"})
                await response.prepare(request)
                await response.write(b"half")
                cut(request)
                return response
            return web.Response(text="whole")

        async with Loopback(answer) as server:
            response = await fetcher.get(server.url, private=True, retries=3)
        assert response.body == b"whole"

    async def test_half_an_answer_is_an_error(self, fetcher: Fetcher) -> None:
        async def half(request: web.BaseRequest) -> web.StreamResponse:
            response = web.StreamResponse(headers={"Content-Length": "100"})
            await response.prepare(request)
            await response.write(b"half")
            cut(request)
            return response

        async with Loopback(half) as server:
            with pytest.raises(FetchError, match="broke off the connection"):
                await fetcher.get(server.url, private=True, retries=0)

    async def test_nobody_listens(self, fetcher: Fetcher, unused_tcp_port: int) -> None:
        with pytest.raises(FetchError, match="cannot be connected to: Connect") as caught:
            await fetcher.get(f"http://127.0.0.1:{unused_tcp_port}/", private=True, retries=1)
        assert caught.value.unsent

    async def test_retry_after_is_waited_for_by_the_clock_that_was_given(self) -> None:
        answers = iter([429, 200])

        async def answer(_: web.BaseRequest) -> web.Response:
            return web.Response(status=next(answers), headers={"Retry-After": "20"})

        clock = FakeClock()
        async with Fetcher(clock=clock) as fetcher, Loopback(answer) as server:
            asking = asyncio.create_task(fetcher.get(server.url, private=True))
            while not server.requests:
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.1)
            await clock.advance(19.9)
            await asyncio.sleep(0.1)
            assert len(server.requests) == 1
            await clock.advance(0.2)
            assert (await asking).status == 200

    async def test_a_long_retry_after_is_left_to_the_caller(self, fetcher: Fetcher) -> None:
        async with Loopback(text(status=429, retry_after="3600")) as server:
            with pytest.raises(FetchError) as caught:
                await fetcher.get(server.url, private=True)
            assert len(server.requests) == 1
        assert caught.value.retry_after == 3600

    @pytest.mark.parametrize(
        ("header", "seconds"),
        [
            ("7", 7.0), ("0", 0.0), ("999999999", 86400.0), ("Thu, 01 Jan 2026 00:01:00 GMT", 60.0),
            ("Wed, 31 Dec 2025 00:00:00 GMT", 0.0), ("soon", None), ("-5", None), ("", None),
            ("1" * 5000, None), ("٣", None),
        ],
    )  # fmt: skip
    def test_what_retry_after_says(self, header: str, seconds: float | None) -> None:
        fetcher = Fetcher(clock=FakeClock(datetime(2026, 1, 1, tzinfo=UTC)))
        assert fetcher.retry_after({"retry-after": header}) == seconds

    async def test_a_post_that_arrived_is_not_sent_twice(self, fetcher: Fetcher) -> None:
        async with Loopback(text(status=500)) as server:
            with pytest.raises(FetchError):
                await fetcher.post(server.url, json={"a": 1}, private=True)
            assert len(server.requests) == 1


class TestSecrets:
    async def test_credentials_become_basic_auth(self, fetcher: Fetcher) -> None:
        async with Loopback(text()) as server:
            url = server.url.replace("//", "//me:p%40ss%C3%A9@")
            response = await fetcher.get(url, private=True)
            assert "p%40ss" not in response.url
            assert server.requests[0].headers["authorization"] == "Basic bWU6cEBzc8Op"
            await fetcher.get(url, private=True, auth=("you", "other"))
            assert server.requests[1].headers["authorization"] == "Basic eW91Om90aGVy"

    async def test_digest_when_the_other_side_asks_for_it(self, fetcher: Fetcher) -> None:
        async def digest(request: web.BaseRequest) -> web.Response:
            given = request.headers.get("authorization", "")
            if given.startswith("Digest "):
                fields = dict(
                    part.strip().split("=", 1) for part in given.removeprefix("Digest ").split(",")
                )
                named = {name: value.strip('"') for name, value in fields.items()}
                ha1 = hashlib.md5(f"me:camera:{SECRET}".encode()).hexdigest()
                ha2 = hashlib.md5(f"GET:{request.path_qs}".encode()).hexdigest()
                proof = f"{ha1}:n0nce:{named['nc']}:{named['cnonce']}:auth:{ha2}"
                if named["response"] == hashlib.md5(proof.encode()).hexdigest():
                    return web.Response(text="picture")
            challenge = 'Digest realm="camera", nonce="n0nce", qop="auth"'
            return web.Response(status=401, headers={"WWW-Authenticate": challenge})

        async with Loopback(digest) as server:
            url = server.url.replace("//", f"//me:{SECRET}@") + "/pic?x=1"
            assert (await fetcher.get(url, private=True)).body == b"picture"
            before = len(server.requests)
            async with fetcher.open(url, private=True) as stream:
                assert [chunk async for chunk in stream.chunks()] == [b"picture"]
            assert len(server.requests) == before + 1  # known by now: no refusal in between
            wrong = server.url.replace("//", "//me:wrong@")
            with pytest.raises(FetchError, match="answered 401"):
                await fetcher.get(wrong, private=True)

    async def test_no_message_holds_a_secret(
        self, fetcher: Fetcher, unused_tcp_port: int, capsys: pytest.CaptureFixture[str]
    ) -> None:
        async def html(_: web.BaseRequest) -> web.Response:
            return web.Response(text="<html>no</html>")

        errors: list[BaseException] = []

        async def failing(url: str) -> None:
            with pytest.raises((FetchError, Forbidden, Invalid)) as caught:
                (await fetcher.get(url, private=True, retries=1, timeout_s=0.3)).json(list[int])
            errors.append(caught.value)

        async with (
            Loopback(html) as fine,
            Loopback(text(status=500)) as broken,
            Loopback(text(status=302, location=f"ftp://me:{SECRET}@x/?key={SECRET}")) as moved,
        ):
            places = [fine.port, broken.port, moved.port, unused_tcp_port]
            for port in places:
                await failing(f"http://me:{SECRET}@127.0.0.1:{port}/x?key={SECRET}#{SECRET}")
            await failing(f"ftp://me:{SECRET}@127.0.0.1/?key={SECRET}")
            await failing(f"http://me:{SECRET}@127.0.0.1:port/?key={SECRET}")
        assert len(errors) == 6
        for error in errors:
            assert SECRET not in str(error)
            assert SECRET not in repr(error)
        captured = capsys.readouterr()
        assert SECRET not in captured.out + captured.err

    async def test_a_user_name_that_cannot_be_sent(self, fetcher: Fetcher) -> None:
        with pytest.raises(Invalid, match="colon"):
            await fetcher.get("http://127.0.0.1/", private=True, auth=("a:b", "c"))


class TestJson:
    async def get(self, fetcher: Fetcher, body: bytes, shape: type = dict) -> object:
        async def answer(_: web.BaseRequest) -> web.Response:
            return web.Response(body=body)

        async with Loopback(answer) as server:
            return (await fetcher.get(server.url, private=True)).json(shape)

    async def test_a_shape(self, fetcher: Fetcher) -> None:
        assert await self.get(fetcher, b'{"a": [1]}', dict[str, list[int]]) == {"a": [1]}

    @pytest.mark.parametrize(
        ("body", "why"),
        [
            (b"<!DOCTYPE html><html>", "HTML instead of JSON"),
            (b"\xef\xbb\xbf \n<html>", "HTML instead of JSON"),
            (b"", "not JSON"),
            (b'{"a": 1', "not JSON"),
            (b'{"a": ' + b"[" * 100_000, "not JSON"),
            (b'{"\\ud800": ' + b"[" * 100_000, "not JSON"),
            (b'{"a": "x"}', "not what was expected: Expected `int`, got `str`"),
        ],
    )
    async def test_what_is_wrong_is_said(self, fetcher: Fetcher, body: bytes, why: str) -> None:
        shape = dict[str, Any] if b"[" in body else dict[str, int]
        with pytest.raises(FetchError, match=why):
            await self.get(fetcher, body, shape)

    @pytest.mark.parametrize(
        ("body", "title"),
        [
            (rb'{"t": "a\ud800b"}', "a\ufffdb"),
            (rb'{"t": "a\udc00b"}', "a\ufffdb"),
            (rb'{"t": "\ud83d\ude00\ud83d"}', "\U0001f600\ufffd"),
            (rb'{"t": "\\ud800 \" \ud800"}', '\\ud800 " \ufffd'),
            (b'{"t": "a\xffb"}', "a\ufffdb"),
            (b'\xef\xbb\xbf{"t": "bom"}', "bom"),
        ],
    )
    async def test_broken_unicode_is_mended(
        self, fetcher: Fetcher, body: bytes, title: str
    ) -> None:
        assert await self.get(fetcher, body, dict[str, str]) == {"t": title}


class TestStreams:
    async def drain(
        self, fetcher: Fetcher, url: str, into: list[bytes], idle_timeout_s: float = 5.0
    ) -> None:
        async with fetcher.open(url, private=True, idle_timeout_s=idle_timeout_s) as stream:
            async for chunk in stream.chunks():
                into.append(chunk)  # noqa: PERF401 - kept although the loop raises

    async def test_pieces_arrive_as_they_are_sent(self, fetcher: Fetcher) -> None:
        go_on = asyncio.Event()

        async def parts(request: web.BaseRequest) -> web.StreamResponse:
            response = web.StreamResponse(headers={"X-Kind": "mjpeg"})
            await response.prepare(request)
            await response.write(b"one")
            await go_on.wait()
            await response.write(b"two")
            return response

        async with (
            Loopback(parts) as server,
            fetcher.open(server.url, private=True) as stream,
        ):
            assert (stream.status, stream.headers["x-kind"]) == (200, "mjpeg")
            chunks = stream.chunks()
            assert await anext(chunks) == b"one"
            go_on.set()
            assert [chunk async for chunk in chunks] == [b"two"]

    async def test_silence_ends_it(self, fetcher: Fetcher) -> None:
        async def silent(request: web.BaseRequest) -> web.StreamResponse:
            response = web.StreamResponse()
            await response.prepare(request)
            await response.write(b"one")
            await asyncio.sleep(30)
            return response

        async with Loopback(silent) as server:
            received: list[bytes] = []
            with pytest.raises(FetchError, match=r"was silent for 0\.2 s"):
                await self.drain(fetcher, server.url, received, idle_timeout_s=0.2)
            assert received == [b"one"]

    async def test_silence_before_the_answer(self, fetcher: Fetcher) -> None:
        async def mute(_: web.BaseRequest) -> web.Response:
            await asyncio.sleep(30)
            return web.Response()

        async with Loopback(mute) as server:
            with pytest.raises(FetchError, match="did not answer"):
                async with fetcher.open(server.url, private=True, idle_timeout_s=0.2):
                    raise AssertionError

    async def test_a_break_in_the_middle(self, fetcher: Fetcher) -> None:
        async def breaking(request: web.BaseRequest) -> web.StreamResponse:
            response = web.StreamResponse()
            await response.prepare(request)
            await response.write(b"one")
            await asyncio.sleep(0.05)
            cut(request)
            return response

        async with Loopback(breaking) as server:
            with pytest.raises(FetchError, match="broke off"):
                await self.drain(fetcher, server.url, [])

    async def test_another_status_is_an_error(self, fetcher: Fetcher) -> None:
        async with Loopback(text(status=404)) as server:
            with pytest.raises(FetchError, match="404"):
                async with fetcher.open(server.url, private=True):
                    raise AssertionError

    async def test_the_guard_stands_here_too(self, fetcher: Fetcher) -> None:
        async with Loopback(text()) as server:
            with pytest.raises(Forbidden):
                async with fetcher.open(server.url):
                    raise AssertionError
            assert not server.requests


async def test_a_connection_is_used_again(fetcher: Fetcher) -> None:
    callers = set()

    async def remember(request: web.BaseRequest) -> web.Response:
        assert request.transport is not None
        callers.add(request.transport.get_extra_info("peername"))
        return web.Response(text="x" * 100_000)

    async with Loopback(remember) as server:
        for _ in range(5):
            await fetcher.get(server.url, private=True)
    assert len(callers) == 1


async def test_who_we_are(fetcher: Fetcher) -> None:
    async with Loopback(text()) as server:
        await fetcher.get(server.url + "/?a=1", private=True, params=[("b", "2"), ("b", "&")])
        request = server.requests[0]
    assert request.headers["user-agent"].startswith("Vigil/")
    assert request.headers["host"] == f"127.0.0.1:{server.port}"
    assert request.path_qs == "/?a=1&b=2&b=%26"


CERTIFICATE = """
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgT6iOlgAxQxVWTprw
Gnnhn2+xQ8T0/9qI57nwzyB4OPKhRANCAAS276u4ku3+PnDMQOK/qDaeY7Nh+XCr
p1zXVzcXhk4T9RFp26UgFSGi+NdMZUTGbN5IkE7Iiyqp2NxjaVMG8+FS
-----END PRIVATE KEY-----
-----BEGIN CERTIFICATE-----
MIIBmzCCAUGgAwIBAgIUC5oG6P0puUmgDjAVl6bXOPIoPnowCgYIKoZIzj0EAwIw
FjEUMBIGA1UEAwwLY2FtZXJhLnRlc3QwIBcNMjYxMTIxMTMzOTE0WhgPMjEyNjEw
MjgxMzM5MTRaMBYxFDASBgNVBAMMC2NhbWVyYS50ZXN0MFkwEwYHKoZIzj0CAQYI
KoZIzj0DAQcDQgAEtu+ruJLt/j5wzEDiv6g2nmOzYflwq6dc11c3F4ZOE/URadul
IBUhovjXTGVExmzeSJBOyIsqqdjcY2lTBvPhUqNrMGkwHQYDVR0OBBYEFOMKzknH
jjHdoUEWyzSGZd3F2H8lMB8GA1UdIwQYMBaAFOMKzknHjjHdoUEWyzSGZd3F2H8l
MA8GA1UdEwEB/wQFMAMBAf8wFgYDVR0RBA8wDYILY2FtZXJhLnRlc3QwCgYIKoZI
zj0EAwIDSAAwRQIhALlIUcdQS+gPJyih8p1z+4KwE3+Xu+ExgG3J2aRI/nSyAiBM
/+S67DJuHk2yR70AiC7UamTiv+AWXz2ZFj2a24PMPA==
-----END CERTIFICATE-----
"""  # self-signed, for camera.test, made for this test; opens nothing anywhere

"""Those who want to be told are told: webhooks and apprise, with real receivers on loopback."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web

from vigil.clock import FakeClock
from vigil.context import Context
from vigil.errors import Invalid
from vigil.notifications import scan, sending, store
from vigil.notifications.model import WAITS_S, Destination


class Receiver:
    """Takes POSTs, and answers as it is told."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.statuses: list[int] = []

    @asynccontextmanager
    async def running(self, port: int) -> AsyncIterator[str]:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._take)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        try:
            yield f"http://127.0.0.1:{port}/hook?key=very-secret"
        finally:
            await runner.cleanup()

    async def _take(self, request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.got.append((headers, await request.read()))
        return web.Response(status=self.statuses.pop(0) if self.statuses else 200)


async def webhook(context: Context, url: str, *kinds: str) -> Destination:
    return await store.add_destination(
        context.pool,
        name=f"hook{url[-30:]}{kinds}",
        kind="webhook",
        url=url,
        secret=sending.new_secret(),
        kinds=kinds,
    )


async def happens(context: Context, kind: str = "camera.silent") -> int:
    return await store.add(context.pool, kind, "camera:garden", "garden is silent", {"since": 1})


async def test_a_webhook_is_signed_and_says_what_happened(
    context: Context, unused_tcp_port: int
) -> None:
    receiver = Receiver()
    async with receiver.running(unused_tcp_port) as url:
        destination = await webhook(context, url)
        number = await happens(context)
        await scan.deliver(context)
        await scan.deliver(context)
    ((headers, body),) = receiver.got
    told = json.loads(body)
    assert told["type"] == "camera.silent"
    assert told["data"]["message"] == "garden is silent"
    assert told["data"]["details"] == {"since": 1}
    assert told["data"]["url"].endswith("/cameras/garden")
    assert headers["webhook-id"] == f"event-{number}"
    key = base64.b64decode(destination.secret.removeprefix("whsec_"))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    wanted = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{wanted}"
    assert (await store.waiting_deliveries(context.pool))[destination.id][0] == 0


def test_a_signature_as_the_specification_gives_it() -> None:
    """The example of the Standard Webhooks specification and its libraries."""
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    body = b'{"test": 2432232314}'
    found = sending.signature(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body)
    assert found == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


async def test_one_that_fails_is_tried_again_and_given_up_in_the_end(
    context: Context, unused_tcp_port: int
) -> None:
    clock = FakeClock(context.clock.now())
    later = replace(context, clock=clock)
    receiver = Receiver()
    receiver.statuses = [500] * 100
    async with receiver.running(unused_tcp_port) as url:
        destination = await webhook(context, url)
        await happens(context)
        await clock.advance(5)
        for wait in WAITS_S:
            count = len(receiver.got)
            await scan.deliver(later)
            assert len(receiver.got) == count + 1
            await clock.advance(wait - 1)
            await scan.deliver(later)
            assert len(receiver.got) == count + 1, "too early"
            await clock.advance(1)
        await scan.deliver(later)
        await clock.advance(timedelta(days=10).total_seconds())
        await scan.deliver(later)
    assert len(receiver.got) == len(WAITS_S) + 1
    assert len({headers["webhook-id"] for headers, _ in receiver.got}) == 1
    (known,) = await store.destinations(context.pool)
    assert known.error == "it answered 500"
    assert "secret" not in known.error
    assert (await store.waiting_deliveries(context.pool))[destination.id][0] == 0


async def test_it_works_again_after_a_while(context: Context, unused_tcp_port: int) -> None:
    clock = FakeClock(context.clock.now())
    later = replace(context, clock=clock)
    await webhook(context, f"http://127.0.0.1:{unused_tcp_port}/")
    await happens(context)
    await clock.advance(5)
    await scan.deliver(later)
    assert (await store.destinations(context.pool))[0].error == "it cannot be reached"
    receiver = Receiver()
    async with receiver.running(unused_tcp_port):
        await clock.advance(WAITS_S[0])
        await scan.deliver(later)
    assert len(receiver.got) == 1
    assert (await store.destinations(context.pool))[0].error is None


async def test_one_that_is_gone_is_paused(context: Context, unused_tcp_port: int) -> None:
    receiver = Receiver()
    receiver.statuses = [410]
    async with receiver.running(unused_tcp_port) as url:
        await webhook(context, url)
        await happens(context)
        await scan.deliver(context)
        await happens(context)
        await scan.deliver(context)
    assert len(receiver.got) == 1
    assert not (await store.destinations(context.pool))[0].enabled


async def test_who_wants_some_kinds_is_told_of_those(
    context: Context, unused_tcp_port: int
) -> None:
    receiver = Receiver()
    async with receiver.running(unused_tcp_port) as url:
        await webhook(context, url, "camera.silent", "film.")
        for kind in ("camera.silent", "camera.dark", "film.done", "camera.silent.over"):
            await happens(context, kind)
        await scan.deliver(context)
    kinds = sorted(json.loads(body)["type"] for _, body in receiver.got)
    assert kinds == ["camera.silent", "camera.silent.over", "film.done"]


async def test_apprise_reaches_what_it_knows(context: Context, unused_tcp_port: int) -> None:
    receiver = Receiver()
    async with receiver.running(unused_tcp_port):
        await store.add_destination(
            context.pool,
            name="apprise",
            kind="apprise",
            url=f"json://127.0.0.1:{unused_tcp_port}/told",
            secret="",
            kinds=[],
        )
        await happens(context)
        await scan.deliver(context)
        receiver.statuses = [500]
        await happens(context)
        await scan.deliver(context)
    told = json.loads(receiver.got[0][1])
    assert "garden is silent" in told["message"]
    assert (await store.destinations(context.pool))[0].error == "the service did not take it"


@pytest.mark.parametrize(
    ("kind", "url"),
    [
        ("webhook", "ftp://example.org/"),
        ("webhook", "https://"),
        ("apprise", "nonsense"),
        ("apprise", "syslog://"),
        ("apprise", "dbus://"),
        ("carrier-pigeon", "https://example.org/"),
    ],
)
def test_what_cannot_be_used_is_refused(kind: str, url: str) -> None:
    with pytest.raises(Invalid):
        sending.check(kind, "name", url, [])


async def test_a_killed_sender_tells_again_with_the_same_id(
    context: Context, unused_tcp_port: int
) -> None:
    """What it had sent and not written down comes again; the receiver can tell by the id."""
    receiver = Receiver()
    async with receiver.running(unused_tcp_port) as url:
        await webhook(context, url)
        await happens(context)

        async def cut(*told: Any, **how: Any) -> None:
            raise asyncio.CancelledError

        original = store.note_delivery
        try:
            store.note_delivery = cut  # the process ends here
            with pytest.raises(asyncio.CancelledError):
                await scan.deliver(context)
        finally:
            store.note_delivery = original
        await scan.deliver(context)
    assert len({headers["webhook-id"] for headers, _ in receiver.got}) == 1
    assert len(receiver.got) == 2


async def test_one_that_breaks_keeps_nobody_from_being_told(
    context: Context, unused_tcp_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    receiver = Receiver()

    async def breaks(*told: Any) -> None:
        raise TypeError("a service that nobody had in mind")

    monkeypatch.setattr(sending, "_through_apprise", breaks)
    async with receiver.running(unused_tcp_port) as url:
        await store.add_destination(
            context.pool, name="apprise", kind="apprise", url="json://x", secret="", kinds=[]
        )
        await webhook(context, url)
        await happens(context)
        await scan.deliver(context)
        await scan.deliver(context)
    assert len(receiver.got) == 1
    broken = next(one for one in await store.destinations(context.pool) if one.kind == "apprise")
    assert broken.error == "a fault in sending: TypeError"

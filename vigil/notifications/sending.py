"""Ways to tell somebody: a signed webhook, or what the library apprise reaches.

Webhooks follow https://www.standardwebhooks.com: ``webhook-id`` is the same for every attempt, so
that a receiver that has seen it may drop it; ``webhook-signature`` is ``v1,`` and the base64 of
the HMAC-SHA256 of ``<id>.<timestamp>.<body>`` with the key behind ``whsec_``.
"""

from __future__ import annotations

import asyncio
import base64
import functools
import hashlib
import hmac
import re
import secrets
import warnings
from typing import Any
from urllib.parse import urlsplit

import msgspec

from vigil.context import Context
from vigil.errors import Invalid, SourceError
from vigil.fetch import FetchError
from vigil.notifications.model import Delivery, Destination, Event

TIMEOUT_S = 20.0
SENDS_S = 60.0
LOCAL = frozenset({"dbus", "gio", "glib", "gnome", "kde", "macosx", "qt", "syslog", "windows"})
"""What apprise would do on this machine itself: nobody asks a server for that."""
KIND = re.compile(r"[a-z][a-z0-9_.]{0,62}")


class Gone(SourceError):
    """The destination wants nothing any more."""


def new_secret() -> str:
    """A fresh key of a webhook, as Standard Webhooks writes it."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def signature(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """The value of the header ``webhook-signature``."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def check(kind: str, name: str, url: str, kinds: list[str]) -> None:
    """Raise Invalid for a destination that cannot be used."""
    if not 1 <= len(name) <= 100 or not name.isprintable():
        raise Invalid("a destination needs a name of at most 100 characters")
    for one in kinds:
        if not KIND.fullmatch(one):
            raise Invalid(f"{one[:70]!r} is no kind of event", hint="camera.silent, or camera.")
    if len(url) > 2000 or not url.isprintable() or " " in url:
        raise Invalid("that is no address")
    if kind == "webhook":
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise Invalid("a webhook has an address that begins with https://")
    elif kind == "apprise":
        scheme = url.partition("://")[0].lower()
        if scheme in LOCAL or _apprise(url) is None:
            raise Invalid(
                "apprise does not know this address, or it would act on this machine",
                hint="for instance mailto://…, tgram://…; https://github.com/caronc/apprise",
            )
    else:
        raise Invalid(
            f"there is no kind of destination called {kind[:40]}", hint="webhook, apprise"
        )


async def send(context: Context, delivery: Delivery, site_url: str) -> None:
    """Tell a destination of an event; raises SourceError, without secrets, when it did not take it.

    Gone where it says that it wants nothing any more.
    """
    if delivery.destination.kind == "webhook":
        await _webhook(context, delivery, site_url)
    else:
        await _through_apprise(delivery, site_url)


def payload(event: Event, site_url: str) -> dict[str, Any]:
    """What a webhook is sent."""
    return {
        "type": event.kind,
        "timestamp": event.at,
        "data": {
            "id": event.id,
            "subject": event.subject,
            "message": event.message,
            "details": dict(event.details),
            "url": page_of(event.subject, site_url),
        },
    }


def page_of(subject: str, site_url: str) -> str:
    """The page about what an event is about."""
    room, _, name = subject.partition(":")
    places = {
        "camera": "/cameras/",
        "film": "/films/",
        "scene": "/scenes/",
        "standing": "/films/standing/",
    }
    return f"{site_url}{places[room]}{name}" if room in places else f"{site_url}/notifications"


async def _webhook(context: Context, delivery: Delivery, site_url: str) -> None:
    destination, event = delivery.destination, delivery.event
    body = msgspec.json.encode(payload(event, site_url))
    message_id = f"event-{event.id}"
    timestamp = int(context.clock.now().timestamp())
    try:
        await context.fetcher.post(
            destination.url,
            private=True,  # an admin named it
            data=body,
            headers={
                "Content-Type": "application/json",
                "webhook-id": message_id,
                "webhook-timestamp": str(timestamp),
                "webhook-signature": signature(destination.secret, message_id, timestamp, body),
            },
            max_bytes=1_000_000,
            timeout_s=TIMEOUT_S,
            retries=0,
            statuses_ok=range(200, 300),
        )
    except FetchError as error:
        if error.http_status == 410:
            raise Gone("it answered 410: it wants nothing any more") from error
        told = f"it answered {error.http_status}" if error.http_status else "it cannot be reached"
        raise SourceError(told, retry_after=error.retry_after) from error


async def _through_apprise(delivery: Delivery, site_url: str) -> None:
    messenger = _apprise(delivery.destination.url)
    if messenger is None:
        raise SourceError("apprise does not know this address any more", permanent=True)
    event = delivery.event
    text = f"{event.message}\n{page_of(event.subject, site_url)}"
    try:
        async with asyncio.timeout(SENDS_S):
            sent = await asyncio.to_thread(
                messenger.notify, body=text, title=f"Vigil: {event.kind}"
            )
    except TimeoutError:
        raise SourceError("no answer in time") from None
    if not sent:
        raise SourceError("the service did not take it")


@functools.lru_cache(maxsize=100)
def _apprise(url: str) -> Any:
    """Something that sends there; ``None`` where apprise does not know how."""
    with warnings.catch_warnings():  # its plugins import what Python 3.13 has no more
        warnings.simplefilter("ignore", DeprecationWarning)
        import apprise  # large, and only who sends needs it

        messenger = apprise.Apprise()
        return messenger if messenger.add(url) else None


def describe(destination: Destination) -> str:
    """Where to, without anything secret."""
    parts = urlsplit(destination.url)
    if destination.kind == "webhook":
        return f"{parts.scheme}://{parts.hostname}"
    return f"{parts.scheme}://…"

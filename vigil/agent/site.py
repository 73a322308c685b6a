"""Requests to the site: registration, cameras, reports, pictures. Standard library only."""

from __future__ import annotations

import http.client
import json
import secrets
import ssl
import urllib.error
import urllib.request
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from vigil import __version__
from vigil.agent.spool import Waiting
from vigil.errors import Invalid, SourceError, VigilError

TIMEOUT_S = 60.0
MOST_ANSWER = 4_000_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Refusing(VigilError):
    """The site answered, and does not want this."""

    code = "refused"


class Site:
    """A site that this controller brings frames to. Its calls block: run them in a thread.

    Every call raises SourceError when the site cannot be reached or has no time now, and Refusing
    when it answered with a no.
    """

    def __init__(self, url: str, token: str | None = None) -> None:
        self._url = checked(url)
        self._token = token

    def register(self, code: str, name: str) -> str:
        """Use a one-time code; the token of this controller."""
        answer = self._json("/api/v1/controllers", {"code": code, "name": name})
        return str(answer["token"])

    def add_camera(self, name: str, title: str, interval_s: float) -> dict[str, Any]:
        """Say that this controller has a camera; its plan."""
        wish = {"name": name, "title": title, "interval_s": interval_s}
        return self._json("/api/v1/controllers/me/cameras", wish)

    def report(
        self, now: datetime, cameras: dict[str, Any], losses: Sequence[dict[str, Any]]
    ) -> dict[str, Any]:
        """Say how it goes here; the plans of the cameras and the site's time."""
        told = {
            "version": __version__,
            "now": now.isoformat(),
            "cameras": cameras,
            "losses": list(losses),
        }
        return self._json("/api/v1/controllers/me/report", told)

    def push(self, camera: str, pictures: Sequence[Waiting]) -> list[dict[str, Any]]:
        """Bring pictures; the site's answer for each, in their order."""
        boundary = secrets.token_hex(16)
        parts = []
        for picture in pictures:
            taken_at = (EPOCH + timedelta(microseconds=picture.taken_us)).isoformat()
            parts.append(_part(boundary, 'name="taken_at"', taken_at.encode()))
            data = picture.path.read_bytes()
            parts.append(_part(boundary, 'name="frame"; filename="frame"', data))
        body = b"".join(parts) + f"--{boundary}--\r\n".encode()
        answer = self._ask(
            f"/api/v1/cameras/{camera}/frames", body, f"multipart/form-data; boundary={boundary}"
        )
        items = answer.get("items")
        if not isinstance(items, list) or len(items) != len(pictures):
            raise SourceError("the site's answer makes no sense")
        return items

    def _json(self, path: str, body: Any) -> dict[str, Any]:
        return self._ask(path, json.dumps(body).encode(), "application/json")

    def _ask(self, path: str, body: bytes, content_type: str) -> dict[str, Any]:
        headers = {"Content-Type": content_type, "User-Agent": f"vigil-agent/{__version__}"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        request = urllib.request.Request(  # noqa: S310 - http(s) only
            self._url + path, data=body, headers=headers, method="POST"
        )
        try:
            with urllib.request.build_opener(_NoRedirect).open(request, timeout=TIMEOUT_S) as got:
                answer = json.loads(got.read(MOST_ANSWER))
        except urllib.error.HTTPError as error:
            raise _failure(error) from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            reason = getattr(error, "reason", error)
            if isinstance(reason, ssl.SSLCertVerificationError):
                raise Refusing(f"the site's certificate is not good: {reason}") from error
            raise SourceError(f"the site cannot be reached: {reason}") from error
        if not isinstance(answer, dict):
            raise SourceError("the site's answer makes no sense")
        return answer


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A token is for one site: nobody sends it elsewhere."""

    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        """Never."""
        return


def _failure(error: urllib.error.HTTPError) -> VigilError:
    message, hint, code = f"the site answered {error.code}", None, ""
    try:
        told = json.loads(error.read(100_000))["error"]
        message, hint, code = str(told["message"]), told.get("hint"), str(told["code"])
    except (ValueError, KeyError, TypeError, OSError):
        pass
    if error.code in (408, 425, 429) or error.code >= 500:
        try:
            wait = float(error.headers.get("retry-after") or 0) or None
        except ValueError:
            wait = None
        return SourceError(message, hint=hint, retry_after=wait)
    refused = Refusing(message, hint=hint, permanent=error.code in (401, 403))
    refused.code = code
    refused.status = error.code
    return refused


def _part(boundary: str, about: str, data: bytes) -> bytes:
    head = f"--{boundary}\r\nContent-Disposition: form-data; {about}\r\n"
    if "filename" in about:
        head += "Content-Type: application/octet-stream\r\n"
    return head.encode() + b"\r\n" + data + b"\r\n"


def checked(url: str) -> str:
    """The address of a site as it is kept; raises Invalid."""
    url = url.strip().rstrip("/")
    if not url.startswith(("http://", "https://")) or len(url) > 500 or " " in url:
        raise Invalid(f"{url[:80]!r} is no address of a site", hint="https://vigil.example.org")
    return url

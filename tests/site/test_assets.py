"""The files under static/: whole, cacheable, and nothing else."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

from tests.servers.small_site import small_site
from vigil import responses
from vigil.context import Context
from vigil.site import assets

VENDOR = responses.STATIC / "vendor"


async def test_a_versioned_address_is_cached_for_ever_and_another_is_checked(
    context: Context,
) -> None:
    async with small_site(context) as site:
        address = responses.static("css/site.css")
        async with site.client.get(address) as response:
            assert response.status == 200
            assert response.content_type == "text/css"
            assert response.headers["cache-control"] == assets.FOR_EVER
            assert await response.read() == (responses.STATIC / "css/site.css").read_bytes()
        for other in ("/static/css/site.css", "/static/css/site.css?v=0123456789abcdef"):
            async with site.client.get(other) as response:
                assert response.headers["cache-control"] == "no-cache"
                etag = response.headers["etag"]
            async with site.client.get(other, headers={"if-none-match": f"W/{etag}"}) as response:
                assert response.status == 304
                assert await response.read() == b""


async def test_text_is_compressed_only_for_who_can_read_it(context: Context) -> None:
    async with small_site(context) as site:
        plain = {"accept-encoding": "identity"}
        async with site.client.get("/static/vendor/hls.min.js", headers=plain) as response:
            assert "content-encoding" not in response.headers
            whole = await response.read()
            etag = response.headers["etag"]
        packed = {"accept-encoding": "gzip"}
        async with site.client.get("/static/vendor/hls.min.js", headers=packed) as response:
            assert response.headers["content-encoding"] == "gzip"
            assert response.headers["vary"] == "accept-encoding"
            assert response.headers["etag"] != etag
            assert int(response.headers["content-length"]) < len(whole) / 2
            assert await response.read() == whole
        async with site.client.head("/static/vendor/hls.min.js", headers=plain) as response:
            assert response.status == 200
            assert int(response.headers["content-length"]) == len(whole)
        async with site.client.get("/static/favicon.png", headers=packed) as response:
            assert "content-encoding" not in response.headers
            assert response.content_type == "image/png"


@pytest.mark.parametrize(
    "path",
    [
        "../app.py",
        "..%2fapp.py",
        "%2e%2e/app.py",
        "css/../../app.py",
        "css/..%2f..%2fapp.py",
        "/etc/passwd",
        "%2fetc%2fpasswd",
        ".hidden",
        "css",
        "css/",
        "css/site.css/x",
        "nothing.css",
        "css%00/site.css",
        "vendor\\CHECKSUMS",
    ],
)
async def test_nothing_but_files_under_static_is_served(context: Context, path: str) -> None:
    assert assets.find(path) is None
    async with small_site(context) as site:
        reader = await site.client.get(f"/static/{path}", allow_redirects=False)
        body = await reader.text()
        assert reader.status == 404, body
        assert "import" not in body


async def test_icons_and_robots(context: Context) -> None:
    async with small_site(context) as site:
        async with site.client.get("/favicon.ico") as response:
            assert response.status == 200
            assert response.content_type == "image/x-icon"
            assert (await response.read())[:4] == b"\0\0\1\0"
        async with site.client.get("/static/favicon.svg") as response:
            assert response.content_type == "image/svg+xml"
        async with site.client.get("/robots.txt") as response:
            assert "Disallow: /admin" in await response.text()


def test_vendored_files_are_what_their_packages_ship() -> None:
    listed = {}
    for line in (VENDOR / "CHECKSUMS").read_text().splitlines():
        digest, name = line.split("  ")
        listed[name] = digest
    present = {p.name for p in VENDOR.iterdir() if p.name not in ("CHECKSUMS", "README.md")}
    assert set(listed) == present
    for name, digest in listed.items():
        assert hashlib.sha256((VENDOR / name).read_bytes()).hexdigest() == digest, name
    told = (VENDOR / "README.md").read_text()
    for name in present:
        assert name in told
        if name.endswith(".js"):
            assert name.split(".")[0] + ".LICENSE" in present


def test_a_changed_file_gets_another_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path
    monkeypatch.setattr(responses, "STATIC", folder)
    (folder / "a.css").write_text("a{}")
    first = responses.static("a.css")
    (folder / "a.css").write_text("a{b:c}")
    assert responses.static("a.css") != first
    assert re.fullmatch(r"/static/a\.css\?v=[0-9a-f]{16}", first)

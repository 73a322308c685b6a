"""An import in a browser: form, preview, start, progress; on a phone, too."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.browser.stage import find_browser
from tests.cameras.importing import picture, put
from tests.conftest import Site
from tests.jobs.test_browser import look, page, sign_in  # noqa: F401 - page is a fixture
from tests.jobs.test_engine import rendering
from vigil.cameras.importing import bringing, places, work
from vigil.cameras.importing.model import File
from vigil.settings import ROOT

BROWSER = find_browser()
AXE = ROOT / "tests" / "browser" / "vendor" / "axe.min.js"
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(BROWSER is None, reason="there is no Chromium on this machine"),
]


async def serious(page: Page) -> list[str]:  # noqa: F811
    """What axe-core finds that is serious or worse."""
    await page.evaluate(AXE.read_text())
    found: dict[str, Any] = await page.evaluate("axe.run(document, {iframes: false})")
    return [
        f"{one['id']}: {[node['html'][:200] for node in one['nodes']]}"
        for one in found["violations"]
        if one["impact"] in ("serious", "critical")
    ]


async def test_an_import_is_seen_coming(
    site: Site,
    page: Page,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = site.context.clock.now()
    for n in range(40):
        put(tmp_path, f"{now - timedelta(minutes=60 - n):%Y%m%d_%H%M%S}.jpg", picture(n))
    put(tmp_path, "20200101_243000.jpg", picture(99))
    put(tmp_path, "broken.jpg", picture(98)[:-200])
    await sign_in(site, page)
    await page.goto(f"{site.url}/cameras")
    await page.get_by_role("link", name="Import pictures").click()
    await page.get_by_label("Or a new camera's name").fill("garden")
    await look(page, "imports")
    assert await serious(page) == []
    await page.get_by_label("Folder or bucket").fill(str(tmp_path))
    await page.get_by_role("button", name="Look what would come").click()
    await expect(page.get_by_role("heading", name="What would come")).to_be_visible()
    await expect(page.get_by_role("main")).to_contain_text("42 files")
    await expect(page.get_by_role("main")).to_contain_text("1 with hour 24 or more")
    await expect(page.get_by_role("main")).to_contain_text("1 of 42 are older")
    await look(page, "import-preview")
    assert await serious(page) == []
    await page.get_by_label("Keep these frames for ever").check()
    await page.get_by_role("button", name="Import 42 files").click()
    await expect(page.locator("[data-part=state]")).to_contain_text("waiting")
    go_on = asyncio.Event()
    read = places.Folder.read
    seen = 0

    async def slow(self: places.Folder, file: File) -> bytes:
        nonlocal seen
        seen += 1
        if seen > 20:
            await go_on.wait()
        return await read(self, file)

    monkeypatch.setattr(places.Folder, "read", slow)
    monkeypatch.setattr(bringing, "STEP", 5)
    async with rendering(site.context, work.BRING):
        await expect(page.locator("[data-part=progress]")).to_contain_text("20 of 42 files")
        await expect(page.locator("[data-part=state]")).to_contain_text("running")
        await look(page, "import-running")
        go_on.set()
        await expect(page.locator("[data-part=state]")).to_contain_text("done")
    await expect(page.locator("[data-added]")).to_have_text("41 frames")
    await expect(page.locator("[data-part=refusals]")).to_contain_text("broken.jpg")
    await look(page, "import-done")
    assert await serious(page) == []
    await page.set_viewport_size({"width": 360, "height": 640})
    for path in ("/imports", "/imports/1"):
        await page.goto(site.url + path)
        assert await page.evaluate("document.documentElement.scrollWidth") <= 360, path
        await look(page, f"phone{path.replace('/', '-')}")
    await page.emulate_media(color_scheme="dark")
    await look(page, "import-dark")
    assert await serious(page) == []

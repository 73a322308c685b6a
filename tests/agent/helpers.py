"""What the tests of the agent share: a site, a controller there, a camera that counts."""

from __future__ import annotations

import sys
from pathlib import Path

from PIL import Image

from tests.conftest import Site
from vigil import auth
from vigil.agent.config import CameraConfig, Config
from vigil.controllers import store
from vigil.controllers.model import CONTROLLER

CAMERA = """\
import io, sys
from pathlib import Path
from PIL import Image
counter, taken = Path(sys.argv[1]), Path(sys.argv[2])
number = int(counter.read_text()) + 1 if counter.exists() else 1
counter.write_text(str(number))
colour = (number % 16 * 16, number // 16 % 16 * 16, 80)
Image.new("RGB", (64, 48), colour).save(taken, "JPEG", quality=95)
"""
"""A camera: each picture has another colour, which is its number."""


def pictures(folder: Path, count: int) -> list[Path]:
    """So many different pictures, ready to be copied: the quickest camera there is."""
    folder.mkdir(parents=True)
    made = []
    for number in range(count):
        path = folder / f"{number:05}.jpg"
        colour = (number % 16 * 16, number // 16 % 16 * 16, number // 256 * 16)
        Image.new("RGB", (32, 24), colour).save(path, "JPEG", quality=95)
        made.append(path)
    return made


def counting(folder: Path) -> str:
    """The shell line of a camera that counts its pictures in ``folder``."""
    script = folder / "camera.py"
    script.write_text(CAMERA)
    return f"{sys.executable} {script} {folder / 'count'} {{file}}"


async def registered(site: Site, name: str = "shed") -> str:
    """A controller's token, without the way through a code."""
    token, code = auth.new_secret(CONTROLLER), auth.hash_secret(name)
    await store.add_code(site.context.pool, code)
    assert await store.register(site.context.pool, code, name, auth.hash_secret(token))
    return token


def config(site_url: str, token: str, *cameras: CameraConfig, **other: int) -> Config:
    """What an agent begins with."""
    return Config(
        url=site_url,
        name="shed",
        token=token,
        cameras=cameras,
        **({"reserve_bytes": 0} | other),
    )

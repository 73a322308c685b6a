"""A second player, GStreamer: what it makes of a film."""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache

import pytest

FILE = ("filesrc", "qtdemux", "h264parse", "avdec_h264")
HLS = ("souphttpsrc", "hlsdemux", "qtdemux", "h264parse", "avdec_h264")
_CHAIN = re.compile(
    r"chain .*?pts: (\d+):(\d+):([\d.]+), duration: (\d+):(\d+):([\d.]+|none).*?flags: \w+ ([^,]*),"
)


@dataclass(frozen=True)
class Played:
    """What came out of a decoder."""

    pts: list[float]
    """Seconds, of each picture, counted from the first."""
    duration_s: float
    """From the first to the end of the last."""
    breaks: int
    """Discontinuities that were noticed behind the first picture."""


@cache
def missing(elements: tuple[str, ...]) -> str:
    """Why a pipeline of these cannot be made here; empty: it can."""
    if shutil.which("gst-launch-1.0") is None:
        return "GStreamer is not installed"
    for name in elements:
        found = subprocess.run(["gst-inspect-1.0", "--exists", name], check=False)
        if found.returncode != 0:
            return f"GStreamer's {name} is not installed"
    return ""


async def play(source: str) -> Played:
    """Play a file, or an HLS playlist, as fast as it goes; skips the test where that cannot be."""
    remote = source.startswith("http")
    elements = HLS if remote else FILE
    if why := missing(elements):
        pytest.skip(why)
    pipeline = " ! ".join([f"{elements[0]} location={source}", *elements[1:]])
    process = await asyncio.create_subprocess_exec(
        *("gst-launch-1.0", "-v", *pipeline.split()),
        *("!", "identity", "silent=false", "!", "fakesink", "sync=false"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        async with asyncio.timeout(60):
            said, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    text = said.decode()
    assert process.returncode == 0, text[-2000:]
    pts, ends, breaks = [], [], 0
    for match in _CHAIN.finditer(text):
        hours, minutes, seconds = (float(part) for part in match.groups()[:3])
        pts.append(hours * 3600 + minutes * 60 + seconds)
        ends.append(pts[-1] + float(match[6]))
        breaks += "discont" in match[7] and len(pts) > 1
    assert pts, text[-2000:]
    return Played([one - pts[0] for one in pts], ends[-1] - pts[0], breaks)

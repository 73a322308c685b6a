"""A second player, GStreamer: what it makes of a film."""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache

import pytest

DECODERS = {
    "h264": ("h264parse", "avdec_h264"),
    "vp9": ("vp9dec",),
    "av1": ("av1parse", "av1dec"),
}
_CHAIN = re.compile(
    r"chain .*?pts: (\d+):(\d+):([\d.]+), duration: (?:0:00:([\d.]+)|none).*?flags: \w+ ([^,]*),"
)


@dataclass(frozen=True)
class Played:
    """What came out of a decoder."""

    pts: list[float]
    """Seconds, of each picture, counted from the first."""
    begin: float
    """Of the first. In a file that is not 0 where its pictures are delayed."""
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


def elements_for(source: str, codec: str) -> tuple[str, ...]:
    """What plays a file (MP4, WebM), or an HLS playlist."""
    if source.startswith("http"):
        return ("souphttpsrc", "hlsdemux", "qtdemux", *DECODERS[codec])
    return ("filesrc", "matroskademux" if source.endswith(".webm") else "qtdemux", *DECODERS[codec])


async def play(source: str, codec: str = "h264") -> Played:
    """Play a file, or an HLS playlist, as fast as it goes; skips the test where that cannot be."""
    elements = elements_for(source, codec)
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
    pts, breaks, last = [], 0, ""
    for match in _CHAIN.finditer(text):
        hours, minutes, seconds = (float(part) for part in match.groups()[:3])
        pts.append(hours * 3600 + minutes * 60 + seconds)
        breaks += "discont" in match[5] and len(pts) > 1
        last = match[4]  # av1dec does not know it of the first picture
    assert last, text[-2000:]
    return Played([one - pts[0] for one in pts], pts[0], pts[-1] + float(last) - pts[0], breaks)

"""Videos for tests, made by ffmpeg: what a camera would see."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from vigil import ffmpeg
from vigil.settings import ROOT


def make_video(
    path: Path, *, seconds: float = 4, size: str = "320x240", fps: int = 10, keyframe_each: int = 10
) -> Path:
    """A test pattern as H.264; a keyframe each so many pictures."""
    pattern = f"testsrc2=size={size}:rate={fps}:duration={seconds:g}"
    _run("-f", "lavfi", "-i", pattern, "-c:v", "libx264", "-preset", "ultrafast",
         "-pix_fmt", "yuv420p", "-g", str(keyframe_each), "-sc_threshold", "0",
         str(path))  # fmt: skip
    return path


def make_white(path: Path) -> Path:
    """A second of white in limited range, as video is: Y is 235 in the stream, 255 in a JPEG."""
    chain = "scale=out_range=tv,format=yuv420p"
    _run("-f", "lavfi", "-i", "color=white:size=64x64:rate=10:duration=1", "-vf", chain,
         "-c:v", "libx264", str(path))  # fmt: skip
    return path


def make_hls(folder: Path, video: Path) -> Path:
    """The video cut into an HLS playlist of segments of a second."""
    _run("-i", str(video), "-c", "copy", "-f", "hls", "-hls_time", "1", "-hls_list_size", "0",
         str(folder / "live.m3u8"))  # fmt: skip
    return folder / "live.m3u8"


def repeated(path: Path, video: Path, times: int) -> Path:
    """The same video several times over, without encoding it again."""
    _run("-stream_loop", str(times - 1), "-i", str(video), "-c", "copy", "-an", str(path))
    return path


def pictures_of(video: Path, folder: Path, fps: int = 5) -> list[bytes]:
    """The video as JPEGs."""
    chain = f"fps={fps},scale=out_range=full,format=yuv420p"
    _run("-i", str(video), "-vf", chain, "-color_range", "pc", str(folder / "%04d.jpg"))
    return [path.read_bytes() for path in sorted(folder.glob("*.jpg"))]


def bikes() -> Path | None:
    """A real street with bicycles, 10 s of H.264: BIKES_MP4 names it, or it lies in a folder
    ``data`` next to the checkout; ``None`` where there is none.
    """
    named = os.environ.get("BIKES_MP4")
    found = [Path(named)] if named else sorted(ROOT.parent.glob("*/data/bikes.mp4"))
    return next((path for path in found if path.is_file()), None)


def _run(*arguments: str) -> None:
    command = [ffmpeg.executable(), "-nostdin", "-loglevel", "error", "-y", *arguments]
    subprocess.run(command, check=True, timeout=60)

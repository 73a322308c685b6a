"""The kinds of things that can be looked at: one line for each."""

from __future__ import annotations

from vigil.cameras.model import CameraKind
from vigil.sources import (
    camera_ffmpeg,
    camera_folder,
    camera_http,
    camera_push,
    camera_testcard,
    json_feed,
    m3u,
    owncast,
    peertube,
    twitch,
)
from vigil.sources.model import DirectoryKind

DIRECTORIES: dict[str, DirectoryKind] = {
    kind.name: kind for kind in (twitch.KIND, owncast.KIND, peertube.KIND, json_feed.KIND, m3u.KIND)
}
"""Directories of live streams."""

CAMERAS: dict[str, CameraKind] = {
    kind.name: kind
    for kind in (
        camera_testcard.KIND,
        camera_push.KIND,
        camera_folder.KIND,
        camera_ffmpeg.KIND,
        camera_http.KIND,
    )
}
"""In the order in which they are asked whether an address is theirs."""

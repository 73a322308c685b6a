"""A real RTSP server (GStreamer's) that serves an MP4 (H.264), from its beginning, to each client.

As a script, run by the system's Python, which has the GObject bindings: ``rtsp.py FILE PORT [USER
PASSWORD]`` prints ``ready`` and serves ``rtsp://127.0.0.1:PORT/camera`` until it is killed. As a
module, for tests: ``available()`` and ``RtspServer``.
"""

from __future__ import annotations

import functools
import subprocess
import sys
from pathlib import Path
from types import TracebackType

PYTHON = "/usr/bin/python3"
PROBE = (
    "import gi; gi.require_version('Gst', '1.0'); gi.require_version('GstRtspServer', '1.0')\n"
    "from gi.repository import Gst, GstRtspServer\n"
    "Gst.init(None)\n"
    "names = ('qtdemux', 'h264parse', 'rtph264pay', 'multifilesrc')\n"
    "missing = [name for name in names if not Gst.ElementFactory.find(name)]\n"
    "assert not missing, missing\n"
)


@functools.cache
def available() -> str | None:
    """``None`` when RTSP can be served here, else what is missing."""
    if not Path(PYTHON).exists():
        return f"there is no {PYTHON}"
    probe = subprocess.run([PYTHON, "-c", PROBE], capture_output=True, text=True, timeout=60)
    if probe.returncode == 0:
        return None
    last = probe.stderr.strip().rpartition("\n")[2]
    return f"GStreamer's RTSP server is not usable: {last}"


class RtspServer:
    """The server as a process of its own; a context manager."""

    def __init__(self, video: Path, port: int, *, user: str = "", password: str = "") -> None:
        self.url = f"rtsp://127.0.0.1:{port}/camera"
        self._command = [PYTHON, __file__, str(video), str(port)]
        if user:
            self._command += [user, password]
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Start, and return once it takes connections."""
        self._process = subprocess.Popen(self._command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line == "ready\n", f"the RTSP server did not start: {line!r}"

    def stop(self) -> None:
        """Kill it: every client loses its connection."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            assert self._process.stdout is not None
            self._process.stdout.close()
            self._process = None

    def __enter__(self) -> RtspServer:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


def serve(video: str, port: str, user: str = "", password: str = "") -> None:
    """Serve until killed."""
    import gi

    gi.require_version("Gst", "1.0")
    gi.require_version("GstRtspServer", "1.0")
    from gi.repository import GLib, Gst, GstRtspServer

    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(port)
    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_shared(False)  # each client sees the film from its beginning
    factory.set_launch(
        f'( filesrc location="{video}" ! qtdemux ! h264parse config-interval=-1 '
        "! rtph264pay name=pay0 pt=96 )"
    )
    if user:
        auth = GstRtspServer.RTSPAuth()
        token = GstRtspServer.RTSPToken()
        token.set_string("media.factory.role", "user")
        auth.add_basic(GstRtspServer.RTSPAuth.make_basic(user, password), token)
        server.set_auth(auth)
        factory.add_role_from_structure(
            Gst.Structure.new_from_string(
                "user, media.factory.access=true, media.factory.construct=true"
            )
        )
    server.get_mount_points().add_factory("/camera", factory)
    if not server.attach(None):
        sys.exit("the port is taken")
    print("ready", flush=True)
    GLib.MainLoop().run()


if __name__ == "__main__":
    serve(*sys.argv[1:])

"""A real FTP server with a user, and a camera that uploads to it: curl."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Self

import aioftp

from tests.running import free_port

USER, PASSWORD = "joe", "secret"


class Ftp:
    """Serves a folder while its ``async with`` is open; entering again keeps the port."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self._server: aioftp.Server | None = None

    async def __aenter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._server = aioftp.Server([aioftp.User(USER, PASSWORD, base_path=self.folder)])
        await self._server.start("127.0.0.1", self.port)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        await self._server.close()

    async def upload(self, data: bytes, path: str, *curl: str) -> int:
        """Upload a picture as a camera does, folders made on the way; returns curl's status."""
        process = await asyncio.create_subprocess_exec(
            *("curl", "-sS", "--max-time", "30", "--ftp-create-dirs", "-T", "-"),
            *("--user", f"{USER}:{PASSWORD}", *curl, f"ftp://127.0.0.1:{self.port}/{path}"),
            stdin=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        await process.communicate(data)
        assert process.returncode is not None
        return process.returncode

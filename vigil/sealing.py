"""Secrets that have to be read again, encrypted: keys of others' services that people give us.

Sealed with Fernet (AES-128-CBC and HMAC-SHA256, github.com/fernet/spec). The sealing key is
``VIGIL_SEALING_KEY`` or, where that is not set, the file ``sealing.key`` in the data folder, made
at the first need and readable by its owner only: a dump of the database alone opens nothing.

Several keys may be given. The first one seals, all of them open: to change the key, put a new one
in front; what is used is sealed anew, and once everything was, the old one can go.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from vigil.errors import SettingsError
from vigil.settings import Settings, sealing_keys

if TYPE_CHECKING:
    from cryptography.fernet import Fernet

FILE = "sealing.key"


class Unopenable(Exception):
    """None of the keys opens it: it was sealed with another one, or changed."""


class Sealer:
    """Seals and opens. ``Sealer.of(settings)`` makes one."""

    def __init__(self, keys: Sequence[str]) -> None:
        from cryptography.fernet import Fernet  # six MB, with the first secret that there is

        self._boxes = [Fernet(key) for key in keys]
        # A key of its own for the hashes: one and the same must not serve two purposes.
        self._hashing = [hmac.digest(key.encode(), b"fingerprints", "sha256") for key in keys]

    @classmethod
    def of(cls, settings: Settings) -> Sealer:
        """With the keys of these settings; makes the file when there is none.

        Raises SettingsError when it cannot be read or written, or holds something else.
        """
        return cls(settings.sealing_key or _from_file(settings.data_dir / FILE))

    def seal(self, secret: str) -> bytes:
        """Encrypt; never twice the same."""
        return self._boxes[0].encrypt(secret.encode())

    def open(self, sealed: bytes) -> str:
        """What was sealed; raises Unopenable."""
        for box in self._boxes:
            found = _opened(box, sealed)
            if found is not None:
                return found.decode()
        raise Unopenable

    def is_current(self, sealed: bytes) -> bool:
        """Whether the first key sealed it."""
        return _opened(self._boxes[0], sealed) is not None

    def fingerprints(self, purpose: str, secret: str) -> list[bytes]:
        """Keyed hashes (HMAC-SHA256) by which a secret is known again, one for each key.

        To be kept: the first. To be compared with: all. ``purpose`` keeps the same secret in two
        places from being recognised.
        """
        message = f"{purpose}\0{secret}".encode()
        return [hmac.new(key, message, hashlib.sha256).digest() for key in self._hashing]


def _opened(box: Fernet, sealed: bytes) -> bytes | None:
    from cryptography.fernet import InvalidToken

    try:
        return box.decrypt(sealed)
    except InvalidToken:
        return None


def _from_file(path: Path) -> tuple[str, ...]:
    try:
        if not path.exists():
            _make(path)
        return sealing_keys(path.read_text(encoding="ascii"))
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} cannot be used: {error}") from error
    except ValueError as error:
        raise SettingsError(f"{path} holds no sealing key", hint=str(error)) from error


def _make(path: Path) -> None:
    """Write a new key; whole or not at all, and one only, however many processes do so at once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    from cryptography.fernet import Fernet

    new = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(Fernet.generate_key() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(new, path)
        except FileExistsError:
            return  # another process was first
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    finally:
        new.unlink()

"""Structured logs: eliot's JSON lines in a file, one line a person can read on the terminal.

A job carries its eliot task id across processes, so the whole story of a film is one tree:
``grep <task id> data/log/*.jsonl``.
"""

from __future__ import annotations

import logging
import logging.handlers
import sys
import traceback
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import eliot
import msgspec

LEVELS = ("debug", "info", "warning", "error")
FILE_BYTES, FILE_COUNT = 10_000_000, 5

_terminal_level = LEVELS.index("warning")  # until start() says otherwise
_process = ""
_file: tuple[logging.Handler, Any] | None = None  # the handler and the eliot destination


def start(process: str, *, level: str = "info", folder: Path | None = None) -> None:
    """Begin to log.

    Args:
        process: name of the process, in every line and in the file's name.
        level: the least that reaches the terminal.
        folder: where <process>.jsonl is written and rotated (5 × 10 MB); ``None``: no file.
    """
    global _terminal_level, _process, _file
    stop()
    _terminal_level, _process = LEVELS.index(level), process
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        handler = logging.handlers.RotatingFileHandler(
            folder / f"{process}.jsonl",
            maxBytes=FILE_BYTES,
            backupCount=FILE_COUNT - 1,
            encoding="utf-8",
            delay=True,
        )
        _file = (handler, _to_file(handler))
        eliot.add_destinations(_file[1])
    quiet_libraries()


def stop() -> None:
    """Close the file; the terminal goes on."""
    global _file
    if _file is not None:
        handler, destination = _file
        eliot.remove_destination(destination)
        handler.close()
        _file = None


def quiet_libraries() -> None:
    """Send what libraries log our way, and only what matters of it."""
    root = logging.getLogger()
    root.handlers[:] = [_FromLogging()]
    root.setLevel(logging.INFO)
    for noisy in ("procrastinate", "sanic.root", "sanic.server", "sanic.access", "asyncio"):
        logger = logging.getLogger(noisy)
        logger.handlers[:] = []
        logger.propagate = True
        logger.setLevel(logging.WARNING)


def debug(room: str, text: str, **fields: Any) -> None:
    """For whoever looks for a fault."""
    _write(0, room, text, fields)


def info(room: str, text: str, **fields: Any) -> None:
    """Something a person watching the terminal wants to know."""
    _write(1, room, text, fields)


def warning(room: str, text: str, **fields: Any) -> None:
    """Something went wrong and is being dealt with."""
    _write(2, room, text, fields)


def error(room: str, text: str, *, exc: BaseException | None = None, **fields: Any) -> None:
    """Something is broken; with the exception, its traceback goes into the file."""
    if exc is not None:
        fields["traceback"] = "".join(traceback.format_exception(exc))
        if not text.endswith(str(exc)):
            text = f"{text}: {str(exc) or type(exc).__name__}"
    _write(3, room, text, fields)


def redact_url(url: str) -> str:
    """The URL without its user, password, query and fragment: what may stand in a log."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        if ":" in host:
            host = f"[{host}]"
        if parts.port:
            host = f"{host}:{parts.port}"
    except ValueError:
        return "(an unreadable URL)"
    return urlunsplit((parts.scheme, host, parts.path, "…" if parts.query else "", ""))


def _write(level: int, room: str, text: str, fields: dict[str, Any]) -> None:
    eliot.log_message(
        message_type=f"vigil:{room}", level=LEVELS[level], process=_process, text=text, **fields
    )
    if level >= _terminal_level:
        now = datetime.now().astimezone().strftime("%H:%M:%S")
        mark = "" if level < 2 else f"{LEVELS[level]}: "
        print(f"{now} {_process:<9} {room}: {mark}{text}", file=sys.stderr, flush=True)


def _to_file(handler: logging.handlers.RotatingFileHandler) -> Any:
    def write(message: dict[str, Any]) -> None:
        line = msgspec.json.encode(message, enc_hook=str).decode()
        record = logging.LogRecord("eliot", logging.INFO, "", 0, line, None, None)
        handler.handle(record)

    return write


class _FromLogging(logging.Handler):
    """Sends what libraries log through ``logging`` the same way."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            text = record.getMessage()
            fields: dict[str, Any] = {}
            if record.exc_info and record.exc_info[1]:
                fields["traceback"] = "".join(traceback.format_exception(record.exc_info[1]))
            level = 3 if record.levelno >= logging.ERROR else 2
            if record.levelno < logging.WARNING:
                level = 0
            _write(level, record.name, text, fields)
        except Exception:
            self.handleError(record)

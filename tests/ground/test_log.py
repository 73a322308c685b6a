import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from vigil import log


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    log.stop()
    root.handlers[:], root.level = handlers, level
    log._terminal_level = log.LEVELS.index("warning")


def test_everything_in_the_file_what_matters_on_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log.start("tester", level="info", folder=tmp_path)
    log.debug("cameras", "detail", n=1)
    log.info("cameras", "garden: first frame", camera="garden")
    try:
        raise ValueError("half a picture")
    except ValueError as error:
        log.error("cameras", "garden", exc=error)
    logging.getLogger("some.library").warning("library says %s", "hello")
    terminal = capsys.readouterr().err
    assert "detail" not in terminal
    assert "tester    cameras: garden: first frame" in terminal
    assert "error: garden: half a picture" in terminal
    assert "library says hello" in terminal
    lines = [json.loads(one) for one in (tmp_path / "tester.jsonl").read_text().splitlines()]
    lines = lines[-4:]  # what was logged before the start comes first
    assert [one["text"] for one in lines] == [
        "detail",
        "garden: first frame",
        "garden: half a picture",
        "library says hello",
    ]
    assert lines[1]["camera"] == "garden"
    assert "ValueError" in lines[2]["traceback"]


def test_the_file_does_not_grow_without_bound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log, "FILE_BYTES", 2000)
    log.start("tester", level="error", folder=tmp_path)
    for number in range(200):
        log.info("x", f"line {number}")
    files = list(tmp_path.iterdir())
    assert len(files) == log.FILE_COUNT
    assert sum(one.stat().st_size for one in files) <= 2100 * log.FILE_COUNT


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://user:pw@cam.example:81/snap.jpg?key=1#f", "http://cam.example:81/snap.jpg?…"),
        ("rtsp://u@[::1]:554/live", "rtsp://[::1]:554/live"),
        ("/dev/video0", "/dev/video0"),
        ("http://[broken", "(an unreadable URL)"),
    ],
)
def test_no_secret_of_a_url_is_shown(url: str, shown: str) -> None:
    assert log.redact_url(url) == shown

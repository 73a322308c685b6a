"""Secrets are sealed, opened, known again; the key is one, private, and can be changed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from vigil import settings
from vigil.errors import SettingsError
from vigil.sealing import FILE, Sealer, Unopenable
from vigil.settings import ROOT, Settings

OLD, NEW = (Fernet.generate_key().decode() for _ in range(2))


def test_what_is_sealed_is_opened_and_says_nothing() -> None:
    sealer = Sealer([NEW])
    sealed = sealer.seal("Xy12-é")
    assert b"Xy12" not in sealed
    assert sealer.seal("Xy12-é") != sealed
    assert sealer.open(sealed) == "Xy12-é"


@pytest.mark.parametrize("place", [0, 20, -1])
def test_what_was_changed_is_not_opened(place: int) -> None:
    sealer = Sealer([NEW])
    sealed = bytearray(sealer.seal("Xy12"))
    sealed[place] ^= 1
    with pytest.raises(Unopenable):
        sealer.open(bytes(sealed))
    with pytest.raises(Unopenable):
        Sealer([OLD]).open(sealer.seal("Xy12"))


def test_the_key_can_be_changed() -> None:
    before, both = Sealer([OLD]), Sealer([NEW, OLD])
    sealed = before.seal("Xy12")
    assert both.open(sealed) == "Xy12"
    assert not both.is_current(sealed)
    again = both.seal("Xy12")
    assert both.is_current(again)
    assert Sealer([NEW]).open(again) == "Xy12"


def test_a_fingerprint_knows_a_secret_again_and_needs_the_key() -> None:
    (mine,) = Sealer([OLD]).fingerprints("game:1", "Xy12")
    assert Sealer([NEW, OLD]).fingerprints("game:1", "Xy12")[1] == mine
    others = {
        *Sealer([NEW]).fingerprints("game:1", "Xy12"),
        *Sealer([OLD]).fingerprints("game:2", "Xy12"),
        *Sealer([OLD]).fingerprints("game:1", "Xy13"),
    }
    assert len(others) == 3
    assert mine not in others


def test_the_file_is_made_once_and_is_its_owners_only(tmp_path: Path) -> None:
    chosen = Settings(data_dir=tmp_path / "data")
    sealed = Sealer.of(chosen).seal("Xy12")
    path = tmp_path / "data" / FILE
    assert path.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in path.parent.iterdir()] == [FILE]
    assert Sealer.of(chosen).open(sealed) == "Xy12"
    path.write_text("nothing of the kind")
    with pytest.raises(SettingsError, match="holds no sealing key"):
        Sealer.of(chosen)


def test_processes_that_begin_at_once_have_one_key(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from vigil.sealing import Sealer\n"
        "from vigil.settings import Settings; sys.stdin.read()\n"
        "s = Sealer.of(Settings(data_dir=Path(sys.argv[1])))\n"
        "print(s.fingerprints('a', 'b')[0].hex())"
    )
    running = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for _ in range(4)
    ]
    for process in running:
        assert process.stdin is not None
        process.stdin.close()
    printed = set()
    for process in running:
        with process:
            assert process.stdout is not None
            printed.add(process.stdout.read())
        assert process.returncode == 0
    assert len(printed) == 1


def test_the_setting_is_checked_and_never_shown() -> None:
    chosen = settings.load({"VIGIL_SEALING_KEY": f"{NEW}, {OLD}"})
    assert chosen.sealing_key == (NEW, OLD)
    assert NEW not in repr(chosen)
    for bad in ("short", NEW[:-4], f"{NEW} x", "ä" * 44):
        with pytest.raises(SettingsError) as caught:
            settings.load({"VIGIL_SEALING_KEY": bad})
        assert bad not in str(caught.value)

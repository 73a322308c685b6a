"""Memory that was freed goes back to the system."""

from __future__ import annotations

import subprocess
import sys

import pytest

from vigil.settings import ROOT

_SCATTERED = """
import sys
from vigil import heap

def held():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096

if sys.argv[1] == "steady" and not heap.steady():
    raise SystemExit(3)
before = held()
bytearray(30 << 20)  # malloc learns from it that large pieces come and go
pieces = [bytearray(200_000) for _ in range(200)]
kept = pieces[::20]
del pieces
print(held() - before)
"""


def _held(how: str) -> int:
    done = subprocess.run(
        [sys.executable, "-c", _SCATTERED, how], capture_output=True, text=True, cwd=ROOT
    )
    if done.returncode == 3:
        pytest.skip("this C library cannot be told")
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_what_was_freed_goes_back() -> None:
    assert _held("steady") < 5 << 20 < _held("usual")

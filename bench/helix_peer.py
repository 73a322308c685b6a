"""A process that is Helix: many channels that come and go, for ``bench.twitch_scan``.

    python -m bench.helix_peer CHANNELS WINDOW_S ANSWER_S CHURN_S CURSORS

Its first line on stdout says where it is. For each line on stdin it answers with one: how many
channels are live (with ``names`` on stdin: their ids), and the points left in the bucket.
``faults`` on stdin makes some of the next requests fail.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Any

from tests.servers.helix import Cursors, Helix

POINTS = 800
TICK_S = 0.1
SHARES = {
    "en": 420, "es": 110, "pt": 90, "ru": 80, "de": 60, "fr": 55, "ja": 50, "ko": 30, "it": 22,
    "pl": 16, "zh": 14, "tr": 12, "cs": 8, "th": 7, "ar": 6, "nl": 4, "hu": 3, "uk": 3, "sv": 2,
    "fi": 2, "ro": 1, "el": 1, "id": 1, "other": 2, "ka": 1,
}  # fmt: skip
"""Of a thousand channels so many speak a language, about as on Twitch."""


async def churn(server: Helix, a_second: float) -> None:
    """Channels end and begin, so many a second; ten times as many change their viewers."""
    due = 0.0
    while True:
        await asyncio.sleep(TICK_S)
        due += a_second * TICK_S
        whole, due = int(due), due % 1
        server.churn(whole, whole, whole * 10)


def told(server: Helix, names: bool) -> dict[str, Any]:
    """What there is now."""
    return {
        "live": [one.id for one in server.live] if names else [],
        "count": len(server.live),
        "points": server.points_left,
        "pages": server.pages,
        "refused": server.refused,
        "cpu_s": time.process_time(),
    }


async def main(
    channels: int, window_s: float, answer_s: float, churn_s: float, cursors: Cursors
) -> None:
    """Serve until stdin ends."""
    loop = asyncio.get_running_loop()
    languages = [one for one, share in SHARES.items() for _ in range(share)]
    async with Helix(
        channels, points=POINTS, window_s=window_s, languages=languages, cursors=cursors
    ) as server:
        server.faults.slow_s = answer_s
        print(json.dumps({"api": server.api_url, "auth": server.auth_url}), flush=True)
        churning = asyncio.create_task(churn(server, churn_s))
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            if "faults" in line:
                server.faults.server_error = server.faults.cut = 2
                server.faults.unauthorized = 1
                server.faults.bad_items = 2
            server.requests.clear()
            print(json.dumps(told(server, "names" in line)), flush=True)
        churning.cancel()


if __name__ == "__main__":
    figures = float(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4])
    asyncio.run(main(int(sys.argv[1]), *figures, sys.argv[5]))  # type: ignore[arg-type]  # three numbers, unpacked

from __future__ import annotations

from dataclasses import replace

from vigil.streams.model import SeenStream, search_text

STREAM = SeenStream(
    external_id="1",
    title="Painting a shed",
    viewers=0,
    page_url="https://www.twitch.tv/shed",
    player="twitch",
    player_url="shed",
    category="Art",
    tags=("English", "Slow"),
    channel_login="shed",
    channel_name="Shed",
)


def test_search_text_is_lower_case_and_names_a_channel_once() -> None:
    assert search_text(STREAM) == "painting a shed\nart\nenglish\nslow\nshed"
    assert search_text(replace(STREAM, channel_name="木")).endswith("\n木\nshed")

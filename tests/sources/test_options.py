"""options: canonical or refused with the name of the bad one."""

from __future__ import annotations

from typing import Any

import pytest

from vigil.errors import Invalid
from vigil.sources import owncast, peertube, twitch


def test_twitch_defaults_keep_everything() -> None:
    assert twitch.check_options({}) == {"languages": [], "categories": [], "max_viewers": None}


def test_canonical() -> None:
    given = {"languages": "EN, de en", "categories": [509658, "21779"], "max_viewers": "10"}
    found = twitch.check_options(given)
    assert found == {
        "languages": ["de", "en"],
        "categories": ["21779", "509658"],
        "max_viewers": 10,
    }
    assert twitch.check_options(found) == found


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"language": "en"}, "'language'"),
        ({"languages": ["english"]}, "languages: 'english'"),
        ({"languages": 5}, "languages"),
        ({"languages": [None]}, "languages"),
        ({"categories": ["Chess"]}, "categories: 'chess'"),
        ({"categories": [str(number) for number in range(101)]}, "more than 100"),
        ({"max_viewers": -1}, "max_viewers"),
        ({"max_viewers": True}, "max_viewers"),
        ({"max_viewers": "many"}, "max_viewers"),
        ({"max_viewers": 1.5}, "max_viewers"),
        ({"max_viewers": "1" * 30}, "max_viewers"),
    ],
)
def test_refused(given: dict[str, Any], named: str) -> None:
    with pytest.raises(Invalid, match=named):
        twitch.check_options(given)


@pytest.mark.parametrize("kind", [owncast.KIND, peertube.KIND])
def test_kinds_without_options(kind: Any) -> None:
    assert kind.check_options({}) == {}
    with pytest.raises(Invalid, match="'languages'"):
        kind.check_options({"languages": ["en"]})

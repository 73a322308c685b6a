"""What an operator blocks for good."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Literal

from vigil.streams.model import SeenStream, search_text

BlockKind = Literal["channel", "word"]


@dataclass(frozen=True, kw_only=True)
class Block:
    """One blocked channel or word. Columns: see migrations/0010_operator.sql."""

    id: int
    kind: BlockKind
    value: str
    created_by: str
    created_at: datetime


@dataclass(frozen=True)
class Blocks:
    """Every block, ready to be held against streams."""

    channels: frozenset[str]
    words: tuple[str, ...]

    def has(self, stream: SeenStream) -> bool:
        """Whether a stream is of a blocked channel or holds a blocked word."""
        if self.of_channel(stream.channel_login, stream.channel_id, stream.channel_name):
            return True
        return bool(self.words) and self.in_text(search_text(stream))

    def of_channel(self, *names: str) -> bool:
        """Whether a channel that goes by these names is blocked."""
        return bool(self.channels) and any(name.lower() in self.channels for name in names)

    def in_text(self, text: str) -> bool:
        """Whether a blocked word stands in a text, which is in lower case, as a whole word."""
        return bool(self.words) and self._pattern.search(text) is not None

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, self.words))})(?!\w)")


def spelled(value: str) -> str:
    """A value as blocks are kept: lower case, its spaces single."""
    return " ".join(value.lower().split())

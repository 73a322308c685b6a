"""What can go wrong when a game is asked for, each with words of its own."""

from __future__ import annotations

from vigil.errors import Conflict, SourceError


class AskingFailed(SourceError):
    """A game's site did not give the state of the game."""

    trouble = "site"
    """The word that the ticks missed meanwhile are explained with: ``games.model.REASONS``."""


class WrongKey(AskingFailed):
    """The site knows the game, but not this key: mistyped, or changed by the player."""

    code, status, permanent = "wrong_key", 422, True
    trouble = "key"


class Unopened(AskingFailed):
    """No key of the game can be opened: it was sealed with another sealing key."""

    code, status = "keys_sealed", 503
    trouble = "key"


class NoSuchGame(AskingFailed):
    """The site does not know the number."""

    code, status, permanent = "no_such_game", 422, True
    trouble = "missing"


class UnsupportedVersion(AskingFailed):
    """The site does not speak the version of the API that we do."""

    code, status, permanent = "unsupported_version", 422, True
    trouble = "answer"


class Silent(AskingFailed):
    """The site cannot be reached, does not answer, or answers that it cannot now."""

    code, status = "site_silent", 502


class OurNetwork(Silent):
    """There is no way from here to anywhere."""

    trouble = "network"


class BadAnswer(AskingFailed):
    """The site sent something that is no state of this game."""

    code, status = "bad_answer", 502
    trouble = "answer"


class GameOver(Conflict):
    """The game is finished: there is nothing to record."""

    code = "game_over"

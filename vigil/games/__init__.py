"""Games: recorded games of Neptune's Pride; docs/games.md.

Tables: games, game_keys, game_players, game_stars, game_owners, game_totals, game_fleets,
game_spans, game_gaps.

Beside the usual files: errors (what can go wrong, each with its words), register (a game that a
person brings), asking (its site, with every key), merging (several answers into one), timing (when
it is asked again), recording (an answer becomes rows, in one transaction), portable (a game as one
file), actions (what can be done with a game), with writing (SQL that records) and keys (the keys,
sealed).
"""

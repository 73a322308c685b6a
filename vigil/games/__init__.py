"""Games: recorded games of Neptune's Pride; docs/games.md.

Tables: games, game_keys, game_players, game_stars, game_owners, game_totals, game_fleets,
game_spans, game_gaps.
"""

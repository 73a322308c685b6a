"""Games: recorded games of Neptune's Pride; docs/games.md.

Tables: games, game_keys, game_players, game_stars, game_owners, game_totals, game_fleets,
game_spans, game_gaps.

Routes: /games, /games/<id>, /games/<id>/stars, /games/<id>/news; /api/game/<id> (as NPTimelapse
gave it); /api/v1/games, /api/v1/games/<id> and, below it, stars, history, events, totals, gaps,
map.png, export, films, fetch, close, delete; /api/v1/games/import.

Beside the usual files: errors (what can go wrong, each with its words), register (a game that a
person brings), asking (its site, with every key), merging (several answers into one), timing (when
it is asked again), recording (an answer becomes rows, in one transaction), portable (a game as one
file), forgetting (a game is removed), actions (what can be done with a game), with drawing (maps
as pictures; no database), filming (films of games), writing (SQL that records) and keys (the keys,
sealed). For the pages: shelf (games that are asked for, in memory), shown (a game as pages and API
show it), api (the JSON), acting (what people do), filmed (films they ask for), charts (lines of
totals), picture (the map as a PNG).
"""

"""Standing films: a film of each day, week or month, or of always the last while, by itself.

Tables: standing_films, standing_editions. Routes: /films/standing…, /api/v1/films/standing….
Chores of a renderer: films:standing, films:kept. Files: model.py, periods.py (days, weeks, months,
pure), ordering.py (what may be asked for, checked), forms.py (the same from a form), making.py (a
period → a film), store.py (SQL), work.py (the chores: make, announce, let go), shown.py (as people
and programs see them), feed.py (RSS and JSON Feed, pure), views.py (pages), api.py (JSON, and
addresses that stay), cli.py.

A film of a period and the row that says so are one transaction, so that a crash, or two makers,
never make two. A film whose period is over is announced in the transaction that notes so.
"""

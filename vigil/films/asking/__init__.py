"""From a person's words to a complete film, and what it will be, before anything is rendered.

words.py (times, spans, boxes as people write them), orders.py (what may be said), fields.py (the
same as flat fields), forms.py and commands.py (who sends such: the page, the command line), when.py
(which time it shows), pace.py (how fast), checking.py (whether wishes fit together), completing.py
(all of these: order → film), store.py (what is known of scenes and past renders), fitting.py (the
length that was asked for), planning.py (the plan of a film that there is not yet), shown.py (that
as JSON), pictures.py (how its pictures will look). Of a film that there is: again.py (the form that
makes another), told.py (its choices in words). share.py says how much of a time wishes leave.
"""

"""The agent: takes pictures where a camera is, with or without a network, and brings them later.

Runs on a Raspberry Pi or any other machine with nothing but Python 3.11: it imports the standard
library and those few modules of Vigil that do the same (errors, clock, the plan of a camera).
Talks to the room controllers of a site. Tables: none. Routes: none. Its files lie in one folder:
``agent.json`` (where to, as whom, which cameras), ``spool/<camera>/`` (pictures not yet brought),
``losses.json`` (what had to be dropped or could not be taken, not yet told).
What a crash costs: the picture being taken.

Modules: __main__.py (how bin/vigil starts it), config.py (agent.json), drivers.py (how a picture is
taken), spool.py (what waits on the disk), site.py (requests to the site), shooting.py (the loops).
"""

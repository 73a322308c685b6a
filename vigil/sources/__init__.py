"""What can be looked at: directories of live streams, and one file for each kind of source.

Tables: sources, source_state. Routes: /sources, /api/v1/sources. Jobs: none; the scanner reads
the directories (room streams) and the cameras (room cameras) through the adapters that stand here.
"""

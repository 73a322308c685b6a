"""What can be looked at: directories of live streams, and one file for each kind of source.

Tables: sources, source_state, blocks. Routes: /sources, /api/v1/sources, /api/v1/blocks. Jobs:
none; the scanner reads the directories (room streams) and the cameras (room cameras) through the
adapters that stand here.

Beside the adapters and the usual files: kinds (the table of the adapters), clean (text and URLs
of strangers made safe), coerce (values of any type made into those), items (one item held against
its shape), playlists (M3U), expressions (JMESPath with bounds), paging (from page to page of a
JSON API), headers (sent and read), helix (requests to Twitch) with bucket (the rate limit that its
cursors share) and turning (many cursors at once),
folders (files that others drop),
neptunes_pride and np2stats (games, for room games),
twitch_items (what Twitch sends), options (what a person writes, read and
checked), criteria (held against streams), adding (sources made and changed), preview (what one
would show), forms (fields of the page), builtin (those that a new
installation has), shown (sources as visitors see them), blocking (what an operator blocks, checked)
with blocks (kept in the database).
"""

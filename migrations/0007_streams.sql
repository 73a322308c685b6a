-- Room streams. Two tables: what a stream is changes rarely and carries the indexes; who watches
-- changes every pass and lives in a narrow table whose updates stay in their page.

CREATE TABLE streams (
    id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    source_id integer NOT NULL REFERENCES sources (id) ON DELETE CASCADE,
    external_id text NOT NULL,
    title text NOT NULL,
    category_id text NOT NULL DEFAULT '',
    category text NOT NULL DEFAULT '',
    tags text[] NOT NULL DEFAULT '{}',
    language text NOT NULL DEFAULT '',
    mature boolean NOT NULL DEFAULT false,
    channel_id text NOT NULL DEFAULT '',
    channel_login text NOT NULL DEFAULT '',
    channel_name text NOT NULL DEFAULT '',
    page_url text NOT NULL,
    thumbnail_url text,
    player text NOT NULL CHECK (player IN ('twitch', 'hls', 'embed')),
    player_url text NOT NULL,
    started_at timestamptz,
    search_text text NOT NULL,
    random_key double precision NOT NULL DEFAULT random(),
    first_seen_at timestamptz NOT NULL DEFAULT now(),
    changed_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (source_id, external_id)
);
CREATE INDEX streams_search ON streams USING gin (search_text gin_trgm_ops);
CREATE INDEX streams_random ON streams (random_key);

COMMENT ON TABLE streams IS 'What a live stream is; a row is rewritten only when its text changed.';
COMMENT ON COLUMN streams.id IS 'Our number of the stream.';
COMMENT ON COLUMN streams.source_id IS 'Where it was seen.';
COMMENT ON COLUMN streams.external_id IS 'The source''s own id; unique within the source.';
COMMENT ON COLUMN streams.title IS 'Title as sent, NULs and control characters removed, at most 500 characters.';
COMMENT ON COLUMN streams.category_id IS 'The source''s id of the category (Twitch: game_id); empty when it has none.';
COMMENT ON COLUMN streams.category IS 'Name of the category; empty when it has none.';
COMMENT ON COLUMN streams.tags IS 'Tags as sent, at most 50.';
COMMENT ON COLUMN streams.language IS 'Lower-case language code; empty when unknown.';
COMMENT ON COLUMN streams.mature IS 'Whether the source marks it as for adults.';
COMMENT ON COLUMN streams.channel_id IS 'The source''s id of the channel.';
COMMENT ON COLUMN streams.channel_login IS 'Name of the channel in addresses.';
COMMENT ON COLUMN streams.channel_name IS 'Name of the channel for people.';
COMMENT ON COLUMN streams.page_url IS 'The stream''s page at its source (http or https).';
COMMENT ON COLUMN streams.thumbnail_url IS 'Picture; may hold {width} and {height} literally; null when there is none.';
COMMENT ON COLUMN streams.player IS 'How to play it: Twitch''s embed, an HLS playlist, or a page in a frame.';
COMMENT ON COLUMN streams.player_url IS 'What the player needs: channel login, playlist URL or frame URL.';
COMMENT ON COLUMN streams.started_at IS 'When it went live, as the source says; null when it does not.';
COMMENT ON COLUMN streams.search_text IS 'Lower case of title, category, tags and channel, newline-separated; what a search looks in.';
COMMENT ON COLUMN streams.random_key IS 'Uniform in [0, 1): a random start for a walk along its index.';
COMMENT ON COLUMN streams.first_seen_at IS 'When we first saw it.';
COMMENT ON COLUMN streams.changed_at IS 'When this row was last rewritten.';

CREATE TABLE stream_liveness (
    stream_id bigint PRIMARY KEY REFERENCES streams (id) ON DELETE CASCADE,
    viewers integer NOT NULL CHECK (viewers >= 0),
    seen_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
) WITH (fillfactor = 50);
COMMENT ON TABLE stream_liveness IS 'What changes every pass. No index but the key and half-empty pages: updates stay in their page (HOT).';
COMMENT ON COLUMN stream_liveness.stream_id IS 'The stream.';
COMMENT ON COLUMN stream_liveness.viewers IS 'People watching when last seen.';
COMMENT ON COLUMN stream_liveness.seen_at IS 'When the scanner last saw it; a complete pass retires rows older than its own start.';
COMMENT ON COLUMN stream_liveness.expires_at IS 'seen_at + the source''s ttl; past it the stream is pruned and shown no more.';

-- Room sources: headers that a source wants and nobody may read.

ALTER TABLE sources ADD COLUMN secrets jsonb NOT NULL DEFAULT '{}'
    CHECK (jsonb_typeof(secrets) = 'object');
COMMENT ON COLUMN sources.secrets IS 'Secret request headers, name → value: sent to the source, shown to nobody, admins included.';
COMMENT ON COLUMN sources.kind IS 'Which adapter reads it: twitch, owncast, peertube, json_feed, m3u.';
COMMENT ON COLUMN sources.base_url IS 'Where it is; null: the address in the settings, for a kind that has one.';

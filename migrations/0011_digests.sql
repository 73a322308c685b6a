-- A pass refreshes the narrow table alone: it knows each stream by the source's own id, and by a
-- digest whether its description is still the same.

ALTER TABLE stream_liveness
    ADD COLUMN digest bigint NOT NULL DEFAULT 0,
    ADD COLUMN source_id integer,
    ADD COLUMN external_id text;
UPDATE stream_liveness AS live SET source_id = streams.source_id, external_id = streams.external_id
    FROM streams WHERE streams.id = live.stream_id;
ALTER TABLE stream_liveness
    ALTER COLUMN digest DROP DEFAULT,
    ALTER COLUMN source_id SET NOT NULL,
    ALTER COLUMN external_id SET NOT NULL,
    ADD UNIQUE (source_id, external_id);
COMMENT ON TABLE stream_liveness IS 'What changes every pass. No index but the two keys, which never change, and half-empty pages: updates stay in their page (HOT).';
COMMENT ON COLUMN stream_liveness.digest IS '64 bits of the description as last seen; 0 (from before there were digests) fits none.';
COMMENT ON COLUMN stream_liveness.source_id IS 'As in streams.';
COMMENT ON COLUMN stream_liveness.external_id IS 'As in streams.';

-- Room films: a segment whose frames stayed unreadable is tried again by itself, hours later.

ALTER TABLE film_segments
    ADD COLUMN again_at timestamptz,
    ADD COLUMN rounds smallint NOT NULL DEFAULT 0;
COMMENT ON COLUMN film_segments.again_at IS 'When one that has failed is tried again by itself; null: not, or it has not failed.';
COMMENT ON COLUMN film_segments.rounds IS 'How often that was arranged since a person last resumed the film, or its plan changed.';
CREATE INDEX film_segments_again ON film_segments (again_at) WHERE again_at IS NOT NULL;

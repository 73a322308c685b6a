-- Room films: a film is planned first, and each of its segments is a job of its own.

ALTER TABLE films
    ADD COLUMN kind text NOT NULL DEFAULT 'scene' CHECK (kind ~ '^[a-z_]{1,20}$'),
    ADD COLUMN scenes integer[] NOT NULL DEFAULT '{}',
    ADD COLUMN options jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(options) = 'object'),
    ADD COLUMN rolling_s double precision CHECK (rolling_s > 0),
    ADD COLUMN watched_at timestamptz;
COMMENT ON TABLE films IS 'Films over a time range: of one or several scenes, or of what another room draws.';
COMMENT ON COLUMN films.kind IS 'Who plans and renders it: scene (the frames of scenes), or another kind of vigil.films.kinds.';
COMMENT ON COLUMN films.scene_id IS 'The first scene whose frames it shows; null when it was removed, or when the film is of another kind.';
COMMENT ON COLUMN films.scenes IS 'All scenes that it shows at once, in the order of their places; empty for another kind.';
COMMENT ON COLUMN films.options IS 'What goes in and how it looks: see vigil.films.options; for another kind what that says.';
COMMENT ON COLUMN films.rolling_s IS 'It shows only the last so many seconds of real time, always; null: all since from_at.';
COMMENT ON COLUMN films.watched_at IS 'When somebody last looked at it, to some seconds: its segments are rendered first.';
UPDATE films SET scenes = ARRAY[scene_id] WHERE scene_id IS NOT NULL;
-- Until now a film that grows lost what its camera no longer keeps; from now on only what it says.
UPDATE films f SET rolling_s = c.retention_s
    FROM camera_scenes shows JOIN cameras c ON c.id = shows.camera_id
    WHERE shows.scene_id = f.scene_id AND f.to_at IS NULL;

ALTER TABLE segments
    ADD COLUMN codec text NOT NULL DEFAULT 'h264',
    ADD COLUMN pixels integer CHECK (pixels > 0),
    ADD COLUMN render_s real CHECK (render_s >= 0),
    ADD COLUMN renders integer NOT NULL DEFAULT 1,
    ADD COLUMN init text,
    ADD COLUMN unused_at timestamptz;
CREATE INDEX segments_unused ON segments (unused_at) WHERE unused_at IS NOT NULL;
COMMENT ON COLUMN segments.frames IS 'Pictures in it.';
COMMENT ON COLUMN segments.codec IS 'How its pictures are encoded: h264, vp9 or av1.';
COMMENT ON COLUMN segments.pixels IS 'Width times height of its pictures; null: from before this was noted.';
COMMENT ON COLUMN segments.render_s IS 'Seconds that rendering took; what estimates of new films are made from.';
COMMENT ON COLUMN segments.renders IS 'How often it was rendered to its end: more than once only when a crash came between blob and row.';
COMMENT ON COLUMN segments.unused_at IS 'Since when no film lists it; collected when that is long enough ago for whoever plays it. Null: one does.';
COMMENT ON COLUMN segments.init IS 'Begin of the SHA-256 of its header (ftyp and moov): a player needs a new one where it changes; null: unknown.';

ALTER TABLE film_segments
    ADD COLUMN start bigint,
    ADD COLUMN wanted text CHECK (wanted ~ '^[0-9a-f]{64}$'),
    ADD COLUMN pictures integer,
    ADD COLUMN first_moment bigint,
    ADD COLUMN last_moment bigint,
    ADD COLUMN moments bytea,
    ADD COLUMN lost integer NOT NULL DEFAULT 0,
    ADD COLUMN job_id bigint REFERENCES procrastinate_jobs (id) ON DELETE SET NULL,
    ADD COLUMN failures smallint NOT NULL DEFAULT 0,
    ADD COLUMN error text;
UPDATE film_segments l SET wanted = l.hash, pictures = s.frames,
        start = round(extract(epoch FROM l.window_start) * 1000000),
        first_moment = round(extract(epoch FROM l.first_at) * 1000000),
        last_moment = round(extract(epoch FROM l.last_at) * 1000000)
    FROM segments s WHERE s.hash = l.hash;
ALTER TABLE film_segments
    DROP COLUMN window_start,
    DROP COLUMN first_at,
    DROP COLUMN last_at,
    ALTER COLUMN start SET NOT NULL,
    ALTER COLUMN wanted SET NOT NULL,
    ALTER COLUMN pictures SET NOT NULL,
    ALTER COLUMN first_moment SET NOT NULL,
    ALTER COLUMN last_moment SET NOT NULL,
    ALTER COLUMN hash DROP NOT NULL,
    ADD PRIMARY KEY (film_id, start);
CREATE INDEX film_segments_job ON film_segments (job_id);
CREATE INDEX film_segments_missing ON film_segments (film_id, start)
    WHERE hash IS NULL OR hash <> wanted;
COMMENT ON TABLE film_segments IS 'Which segments make a film, in order of start: as planned, and as far as they are rendered.';
COMMENT ON COLUMN film_segments.start IS 'Where its window begins, as a moment: microseconds since 1970 UTC in a film of scenes, a tick in a film of a game.';
COMMENT ON COLUMN film_segments.hash IS 'The segment that is shown; null before it is rendered. Another than wanted while a late frame is being worked in, or where frames could not be read.';
COMMENT ON COLUMN film_segments.wanted IS 'Name of the segment that should be here by the plan.';
COMMENT ON COLUMN film_segments.pictures IS 'Pictures that the plan gives it.';
COMMENT ON COLUMN film_segments.first_moment IS 'Moment of its first picture.';
COMMENT ON COLUMN film_segments.last_moment IS 'Moment of its last picture.';
COMMENT ON COLUMN film_segments.moments IS 'Moment of each picture, eight bytes each, most significant first; null: from before this was kept.';
COMMENT ON COLUMN film_segments.closed IS 'Whether the window is over; an open segment is rendered again when frames join it.';
COMMENT ON COLUMN film_segments.lost IS 'Frames that could not be read: a neighbour stands in for each.';
COMMENT ON COLUMN film_segments.job_id IS 'The job that renders it.';
COMMENT ON COLUMN film_segments.failures IS 'Attempts to render it that failed for a reason of its own.';
COMMENT ON COLUMN film_segments.error IS 'Why it could not be rendered, after all attempts; null otherwise.';

-- Room films: a film is an ordered list of immutable segments, each named by what went into it.

CREATE TABLE films (
    id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    title text NOT NULL,
    camera_id integer REFERENCES cameras (id) ON DELETE SET NULL,
    from_at timestamptz NOT NULL,
    to_at timestamptz,
    speed double precision NOT NULL CHECK (speed > 0),
    fps double precision NOT NULL CHECK (fps BETWEEN 1 AND 60),
    width integer NOT NULL CHECK (width BETWEEN 16 AND 3840 AND width % 2 = 0),
    height integer NOT NULL CHECK (height BETWEEN 16 AND 2160 AND height % 2 = 0),
    window_s double precision NOT NULL CHECK (window_s > 0),
    state text NOT NULL DEFAULT 'waiting'
        CHECK (state IN ('waiting', 'rendering', 'growing', 'done', 'failed', 'cancelled', 'deleting')),
    error text,
    next_at timestamptz,
    planned_id bigint NOT NULL DEFAULT 0,
    dropped_segments bigint NOT NULL DEFAULT 0,
    dropped_ticks bigint NOT NULL DEFAULT 0,
    job_id bigint REFERENCES procrastinate_jobs (id) ON DELETE SET NULL,
    file_blob text,
    file_bytes bigint,
    file_key text,
    created_at timestamptz NOT NULL DEFAULT now(),
    changed_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX films_due ON films (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX films_camera ON films (camera_id);

COMMENT ON TABLE films IS 'Films of one camera over a time range, at a speed and frame rate.';
COMMENT ON COLUMN films.id IS 'Number of the film.';
COMMENT ON COLUMN films.title IS 'Name for people.';
COMMENT ON COLUMN films.camera_id IS 'The camera; null when it was removed: the film stays as it is.';
COMMENT ON COLUMN films.from_at IS 'First moment, inclusive.';
COMMENT ON COLUMN films.to_at IS 'Last moment, exclusive; null: from now on, growing for ever.';
COMMENT ON COLUMN films.speed IS 'Real seconds in one second of film.';
COMMENT ON COLUMN films.fps IS 'Pictures in one second of film; at most one frame for each speed/fps real seconds is used.';
COMMENT ON COLUMN films.width IS 'Pixels, even; frames are scaled to fit and padded.';
COMMENT ON COLUMN films.height IS 'Pixels, even.';
COMMENT ON COLUMN films.window_s IS 'Real seconds in one segment''s window; windows begin at multiples of it since 1970 UTC.';
COMMENT ON COLUMN films.state IS 'waiting: to be rendered; rendering: now; growing: up to date, more to come; done; failed; cancelled; deleting.';
COMMENT ON COLUMN films.error IS 'Why it failed; null otherwise.';
COMMENT ON COLUMN films.next_at IS 'When a renderer should look at it next; null: not before something changes.';
COMMENT ON COLUMN films.planned_id IS 'Frames up to this id are in the film where they belong; 0: plan all of it again.';
COMMENT ON COLUMN films.dropped_segments IS 'Segments that left a growing film with the camera''s retention; never goes back.';
COMMENT ON COLUMN films.dropped_ticks IS 'Film time of those, in 1/(1000 fps) s, so that the times of what is left stay.';
COMMENT ON COLUMN films.job_id IS 'The job that last worked or works on it.';
COMMENT ON COLUMN films.file_blob IS 'Key of the whole film as one MP4; null before it was joined.';
COMMENT ON COLUMN films.file_bytes IS 'Size of that MP4.';
COMMENT ON COLUMN films.file_key IS 'Hash of the list of segments the MP4 was joined from.';
COMMENT ON COLUMN films.created_at IS 'When it was asked for.';
COMMENT ON COLUMN films.changed_at IS 'When its row or its list of segments last changed.';

CREATE TABLE segments (
    hash text PRIMARY KEY CHECK (hash ~ '^[0-9a-f]{64}$'),
    blob text NOT NULL,
    bytes integer NOT NULL CHECK (bytes > 0),
    frames integer NOT NULL CHECK (frames > 0),
    duration_s double precision NOT NULL CHECK (duration_s > 0),
    created_at timestamptz NOT NULL DEFAULT now(),
    deleting_at timestamptz
);
COMMENT ON TABLE segments IS 'Rendered pieces of film; never change. Films share them. One that no film lists is collected after a day.';
COMMENT ON COLUMN segments.hash IS 'SHA-256 of everything that went in: frames in order, every setting that changes a pixel, encoder.';
COMMENT ON COLUMN segments.blob IS 'Key in the blob store; a self-contained fragmented MP4 that begins at time 0.';
COMMENT ON COLUMN segments.bytes IS 'Size of the blob.';
COMMENT ON COLUMN segments.frames IS 'Pictures in it.';
COMMENT ON COLUMN segments.duration_s IS 'Seconds of film; frames / fps, longer where a picture could not be decoded.';
COMMENT ON COLUMN segments.created_at IS 'When it was rendered.';
COMMENT ON COLUMN segments.deleting_at IS 'Since when it is being removed; counts as not there, its blob may be gone.';

CREATE TABLE film_segments (
    film_id bigint NOT NULL REFERENCES films (id) ON DELETE CASCADE,
    window_start timestamptz NOT NULL,
    hash text NOT NULL REFERENCES segments (hash),
    first_at timestamptz NOT NULL,
    last_at timestamptz NOT NULL,
    closed boolean NOT NULL,
    PRIMARY KEY (film_id, window_start)
);
CREATE INDEX film_segments_hash ON film_segments (hash);
COMMENT ON TABLE film_segments IS 'Which segments make a film, in order of window_start.';
COMMENT ON COLUMN film_segments.film_id IS 'The film.';
COMMENT ON COLUMN film_segments.window_start IS 'Start of the wall-clock window that the segment shows.';
COMMENT ON COLUMN film_segments.hash IS 'The segment.';
COMMENT ON COLUMN film_segments.first_at IS 'When its first frame was taken.';
COMMENT ON COLUMN film_segments.last_at IS 'When its last frame was taken.';
COMMENT ON COLUMN film_segments.closed IS 'Whether the window is over; an open segment is rendered again when frames join it.';

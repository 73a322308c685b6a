-- Room cameras: imports, folders and buckets of pictures whose frames a camera is given.

CREATE TABLE imports (
    id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    camera_id integer NOT NULL REFERENCES cameras (id) ON DELETE CASCADE,
    place text NOT NULL,
    pattern text NOT NULL DEFAULT '',
    rule text NOT NULL DEFAULT 'auto' CHECK (rule IN ('auto', 'exif', 'name', 'mtime')),
    time_zone text NOT NULL,
    clock_offset_s double precision NOT NULL DEFAULT 0,
    keep boolean NOT NULL DEFAULT false,
    job_id bigint REFERENCES procrastinate_jobs (id) ON DELETE SET NULL,
    cursor bytea,
    total_files bigint,
    total_bytes bigint,
    files bigint NOT NULL DEFAULT 0,
    bytes bigint NOT NULL DEFAULT 0,
    added bigint NOT NULL DEFAULT 0,
    known bigint NOT NULL DEFAULT 0,
    refused bigint NOT NULL DEFAULT 0,
    mended bigint NOT NULL DEFAULT 0,
    shifted bigint NOT NULL DEFAULT 0,
    ways jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(ways) = 'object'),
    refusals jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(refusals) = 'object'),
    first_at timestamptz,
    last_at timestamptz,
    busy_s double precision NOT NULL DEFAULT 0,
    files_per_s double precision,
    bytes_per_s double precision,
    created_at timestamptz NOT NULL,
    checkpoint_at timestamptz NOT NULL,
    finished_at timestamptz
);
CREATE INDEX imports_camera ON imports (camera_id);
CREATE INDEX imports_job ON imports (job_id);
COMMENT ON TABLE imports IS 'Folders and buckets whose pictures become frames of a camera; how far each is, and what came of it.';
COMMENT ON COLUMN imports.id IS 'Number of the import.';
COMMENT ON COLUMN imports.camera_id IS 'Whose frames they become.';
COMMENT ON COLUMN imports.place IS 'Path of a folder on the renderer''s machine, or URL of a bucket; without credentials.';
COMMENT ON COLUMN imports.pattern IS 'Which files, like *.jpg; empty: all that end like a picture.';
COMMENT ON COLUMN imports.rule IS 'How times are known; auto: EXIF, else the name, else the time of the last change.';
COMMENT ON COLUMN imports.time_zone IS 'IANA name: the zone of times that name none.';
COMMENT ON COLUMN imports.clock_offset_s IS 'Seconds by which the camera''s clock was ahead; taken off times of EXIF and names.';
COMMENT ON COLUMN imports.keep IS 'Whether its frames are kept for ever, whatever the retention.';
COMMENT ON COLUMN imports.job_id IS 'The job that last worked or works on it.';
COMMENT ON COLUMN imports.cursor IS 'Name of the last file, in order, that is done with all before it; null: none is.';
COMMENT ON COLUMN imports.total_files IS 'Files in all; null while they are being counted.';
COMMENT ON COLUMN imports.total_bytes IS 'Bytes in all.';
COMMENT ON COLUMN imports.files IS 'Files that are done.';
COMMENT ON COLUMN imports.bytes IS 'Bytes of these.';
COMMENT ON COLUMN imports.added IS 'Files that became frames.';
COMMENT ON COLUMN imports.known IS 'Files that were frames before.';
COMMENT ON COLUMN imports.refused IS 'Files that became none.';
COMMENT ON COLUMN imports.mended IS 'Times with hour 24 or more that were carried into the next day.';
COMMENT ON COLUMN imports.shifted IS 'Pictures of a moment that another had already, put microseconds behind it.';
COMMENT ON COLUMN imports.ways IS 'How times were known (exif, name, mtime) → number of files.';
COMMENT ON COLUMN imports.refusals IS 'Reason → {count, message, examples}: at most five names each.';
COMMENT ON COLUMN imports.first_at IS 'The earliest time found; null before one.';
COMMENT ON COLUMN imports.last_at IS 'The latest time found.';
COMMENT ON COLUMN imports.busy_s IS 'Seconds of work so far.';
COMMENT ON COLUMN imports.files_per_s IS 'Files a second lately; null while nothing is measured.';
COMMENT ON COLUMN imports.bytes_per_s IS 'Bytes a second lately.';
COMMENT ON COLUMN imports.created_at IS 'When it was asked for.';
COMMENT ON COLUMN imports.checkpoint_at IS 'When cursor and numbers were last written, by the clock that stamps frames'' arrival.';
COMMENT ON COLUMN imports.finished_at IS 'When the last file was done; null before.';

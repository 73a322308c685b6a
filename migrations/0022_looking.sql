-- What people look for in a scene: its days, its tags; and cameras that are tried before they are kept.

CREATE TABLE scene_days (
    scene_id integer NOT NULL REFERENCES scenes (id) ON DELETE CASCADE,
    day date NOT NULL,
    frames bigint NOT NULL,
    bytes bigint NOT NULL,
    PRIMARY KEY (scene_id, day)
);
COMMENT ON TABLE scene_days IS 'How many frames a day of a scene has; kept by a trigger of frames, so it always agrees with them.';
COMMENT ON COLUMN scene_days.scene_id IS 'The scene.';
COMMENT ON COLUMN scene_days.day IS 'The day where the scene is, by its time zone.';
COMMENT ON COLUMN scene_days.frames IS 'Frames taken that day that are there and not being removed.';
COMMENT ON COLUMN scene_days.bytes IS 'Size of their blobs as they came.';

CREATE FUNCTION count_scene_days() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO scene_days AS d (scene_id, day, frames, bytes)
            SELECT f.scene_id, (f.taken_at AT TIME ZONE s.time_zone)::date, count(*), sum(f.bytes)
            FROM added f JOIN scenes s ON s.id = f.scene_id
            WHERE f.deleting_at IS NULL
            GROUP BY 1, 2 ORDER BY 1, 2
            ON CONFLICT (scene_id, day) DO UPDATE
                SET frames = d.frames + excluded.frames, bytes = d.bytes + excluded.bytes;
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO scene_days AS d (scene_id, day, frames, bytes)
            SELECT f.scene_id, (f.taken_at AT TIME ZONE s.time_zone)::date, -count(*), -sum(f.bytes)
            FROM gone f JOIN scenes s ON s.id = f.scene_id
            WHERE f.deleting_at IS NULL
            GROUP BY 1, 2 ORDER BY 1, 2
            ON CONFLICT (scene_id, day) DO UPDATE
                SET frames = d.frames + excluded.frames, bytes = d.bytes + excluded.bytes;
    ELSE
        INSERT INTO scene_days AS d (scene_id, day, frames, bytes)
            SELECT f.scene_id, (f.taken_at AT TIME ZONE s.time_zone)::date AS day,
                sum(f.number), sum(f.number * f.bytes)
            FROM (
                SELECT scene_id, taken_at, bytes, 1 AS number FROM added WHERE deleting_at IS NULL
                UNION ALL
                SELECT scene_id, taken_at, bytes, -1 FROM gone WHERE deleting_at IS NULL
            ) f JOIN scenes s ON s.id = f.scene_id
            GROUP BY 1, 2 HAVING sum(f.number) <> 0 ORDER BY 1, 2
            ON CONFLICT (scene_id, day) DO UPDATE
                SET frames = d.frames + excluded.frames, bytes = d.bytes + excluded.bytes;
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER frames_days_added AFTER INSERT ON frames
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION count_scene_days();
CREATE TRIGGER frames_days_changed AFTER UPDATE ON frames
    REFERENCING OLD TABLE AS gone NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION count_scene_days();
CREATE TRIGGER frames_days_gone AFTER DELETE ON frames
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION count_scene_days();

CREATE FUNCTION recount_scene_days() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    LOCK TABLE scene_days IN SHARE ROW EXCLUSIVE MODE;  -- nobody counts by the old zone meanwhile
    DELETE FROM scene_days WHERE scene_id = new.id;
    INSERT INTO scene_days (scene_id, day, frames, bytes)
        SELECT new.id, (taken_at AT TIME ZONE new.time_zone)::date, count(*), sum(bytes)
        FROM frames WHERE scene_id = new.id AND deleting_at IS NULL GROUP BY 2;
    RETURN NULL;
END
$$;
CREATE TRIGGER scenes_recount AFTER UPDATE OF time_zone ON scenes
    FOR EACH ROW WHEN (old.time_zone <> new.time_zone) EXECUTE FUNCTION recount_scene_days();

INSERT INTO scene_days (scene_id, day, frames, bytes)
    SELECT f.scene_id, (f.taken_at AT TIME ZONE s.time_zone)::date, count(*), sum(f.bytes)
    FROM frames f JOIN scenes s ON s.id = f.scene_id
    WHERE f.deleting_at IS NULL GROUP BY 1, 2;

CREATE TABLE scene_tags (
    id integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    scene_id integer NOT NULL REFERENCES scenes (id) ON DELETE CASCADE,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 60),
    from_at timestamptz NOT NULL,
    to_at timestamptz CHECK (to_at > from_at),
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX scene_tags_scene ON scene_tags (scene_id, from_at);
COMMENT ON TABLE scene_tags IS 'Named spans of time of a scene, by which films choose frames: snow, scaffold.';
COMMENT ON COLUMN scene_tags.id IS 'Number of the tag.';
COMMENT ON COLUMN scene_tags.scene_id IS 'The scene.';
COMMENT ON COLUMN scene_tags.name IS 'What was to be seen; several spans may have the same name.';
COMMENT ON COLUMN scene_tags.from_at IS 'From then on.';
COMMENT ON COLUMN scene_tags.to_at IS 'Until, not including, then; null: it goes on.';
COMMENT ON COLUMN scene_tags.created_at IS 'When it was added.';

CREATE TABLE camera_trials (
    id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    form jsonb NOT NULL CHECK (jsonb_typeof(form) = 'object'),
    camera_id integer REFERENCES cameras (id) ON DELETE CASCADE,
    kind text NOT NULL,
    url text,
    options jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(options) = 'object'),
    interval_s double precision NOT NULL,
    state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'asking', 'done', 'failed')),
    attempts smallint NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    started_at timestamptz,
    finished_at timestamptz,
    error text,
    hint text,
    preview bytea CHECK (length(preview) <= 2000000),
    width integer,
    height integer,
    bytes bigint,
    format text,
    took_s double precision,
    camera_clock timestamptz,
    clock_offset_s double precision
);
CREATE INDEX camera_trials_open ON camera_trials (id) WHERE state IN ('waiting', 'asking');
CREATE INDEX camera_trials_camera ON camera_trials (camera_id);
COMMENT ON TABLE camera_trials IS 'Cameras that are tried before they are kept; removed an hour after they were made.';
COMMENT ON COLUMN camera_trials.id IS 'Number of the trial.';
COMMENT ON COLUMN camera_trials.form IS 'The fields as an admin filled them in, to go on from.';
COMMENT ON COLUMN camera_trials.camera_id IS 'The camera that is being changed; null for a new one.';
COMMENT ON COLUMN camera_trials.kind IS 'Which adapter reads it.';
COMMENT ON COLUMN camera_trials.url IS 'Where it is, credentials included: shown to nobody but an admin.';
COMMENT ON COLUMN camera_trials.options IS 'Settings of the kind.';
COMMENT ON COLUMN camera_trials.interval_s IS 'Seconds between frames.';
COMMENT ON COLUMN camera_trials.state IS 'waiting for a scanner, asking the camera, done or failed.';
COMMENT ON COLUMN camera_trials.attempts IS 'How often a scanner began: one that dies in the middle is not tried for ever.';
COMMENT ON COLUMN camera_trials.created_at IS 'When it was asked for.';
COMMENT ON COLUMN camera_trials.started_at IS 'When a scanner began to ask the camera.';
COMMENT ON COLUMN camera_trials.finished_at IS 'When it was done or had failed.';
COMMENT ON COLUMN camera_trials.error IS 'Why it failed, without the camera''s address.';
COMMENT ON COLUMN camera_trials.hint IS 'What to do about it.';
COMMENT ON COLUMN camera_trials.preview IS 'The picture as a JPEG at most 1280 wide.';
COMMENT ON COLUMN camera_trials.width IS 'Pixels of the picture as it came, turned as its EXIF says.';
COMMENT ON COLUMN camera_trials.height IS 'Pixels of the picture as it came, turned as its EXIF says.';
COMMENT ON COLUMN camera_trials.bytes IS 'Size of the picture as it came.';
COMMENT ON COLUMN camera_trials.format IS 'What it is: jpeg, png, webp, heif.';
COMMENT ON COLUMN camera_trials.took_s IS 'Seconds until the picture was there.';
COMMENT ON COLUMN camera_trials.camera_clock IS 'When the camera says that it was taken; null when it says nothing.';
COMMENT ON COLUMN camera_trials.clock_offset_s IS 'Seconds by which that was ahead of our clock.';

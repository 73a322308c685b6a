-- A scene is a place and a view; a camera is the device that shows one. Cameras move, scenes stay.

CREATE TABLE scenes (
    id integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    name text NOT NULL UNIQUE CHECK (name ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
    title text NOT NULL DEFAULT '',
    notes text NOT NULL DEFAULT '' CHECK (length(notes) <= 10000),
    latitude double precision CHECK (latitude BETWEEN -90 AND 90),
    longitude double precision CHECK (longitude BETWEEN -180 AND 180),
    time_zone text NOT NULL DEFAULT 'UTC',
    created_at timestamptz NOT NULL DEFAULT now(),
    changed_at timestamptz NOT NULL DEFAULT now(),
    CHECK ((latitude IS NULL) = (longitude IS NULL))
);
COMMENT ON TABLE scenes IS 'Places and views. Pictures of one scene belong together, whichever camera took them.';
COMMENT ON COLUMN scenes.id IS 'Number of the scene.';
COMMENT ON COLUMN scenes.name IS 'Name in addresses; never changes.';
COMMENT ON COLUMN scenes.title IS 'Name for people; empty: the same as name.';
COMMENT ON COLUMN scenes.notes IS 'What an admin wrote about it.';
COMMENT ON COLUMN scenes.latitude IS 'Degrees north; null when nobody said.';
COMMENT ON COLUMN scenes.longitude IS 'Degrees east; null when nobody said.';
COMMENT ON COLUMN scenes.time_zone IS 'IANA name, e.g. Europe/Berlin: where its days begin, and the zone of times that name none.';
COMMENT ON COLUMN scenes.created_at IS 'When it was added.';
COMMENT ON COLUMN scenes.changed_at IS 'When one of the columns above last changed; set by a trigger.';
CREATE TRIGGER scenes_touch BEFORE UPDATE ON scenes
    FOR EACH ROW EXECUTE FUNCTION touch_changed_at();
INSERT INTO scenes (name, title, created_at) SELECT name, title, created_at FROM cameras ORDER BY id;

CREATE TABLE camera_scenes (
    camera_id integer NOT NULL REFERENCES cameras (id) ON DELETE CASCADE,
    from_at timestamptz NOT NULL,
    scene_id integer NOT NULL REFERENCES scenes (id),
    PRIMARY KEY (camera_id, from_at)
);
CREATE INDEX camera_scenes_scene ON camera_scenes (scene_id);
COMMENT ON TABLE camera_scenes IS 'Which scene a camera shows from when on, until its next row.';
COMMENT ON COLUMN camera_scenes.camera_id IS 'The camera.';
COMMENT ON COLUMN camera_scenes.from_at IS 'From then on, by time taken; the first row of a camera says -infinity.';
COMMENT ON COLUMN camera_scenes.scene_id IS 'The scene.';
INSERT INTO camera_scenes (camera_id, from_at, scene_id)
    SELECT cameras.id, '-infinity', scenes.id FROM cameras JOIN scenes USING (name);

ALTER TABLE cameras
    ADD COLUMN notes text NOT NULL DEFAULT '' CHECK (length(notes) <= 10000),
    ADD COLUMN plan jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(plan) = 'object'),
    ADD COLUMN retention_bytes bigint CHECK (retention_bytes > 0),
    ADD COLUMN retention_frames bigint CHECK (retention_frames > 0),
    ADD COLUMN rotation smallint NOT NULL DEFAULT 0 CHECK (rotation IN (0, 90, 180, 270)),
    ADD COLUMN crop real[] CHECK (array_length(crop, 1) = 4);
COMMENT ON COLUMN cameras.notes IS 'What an admin wrote about it.';
COMMENT ON COLUMN cameras.plan IS 'When frames are due, beside interval_s: see vigil.cameras.plan; {} means always.';
COMMENT ON COLUMN cameras.retention_bytes IS 'Most bytes of frames that are kept, the oldest go first; null: as many as come.';
COMMENT ON COLUMN cameras.retention_frames IS 'Most frames that are kept, the oldest go first; null: as many as come.';
COMMENT ON COLUMN cameras.rotation IS 'Degrees clockwise by which its pictures are turned when shown, after what EXIF says.';
COMMENT ON COLUMN cameras.crop IS 'Left, top, right, bottom of what is shown, 0 to 1 of the turned picture; null: all of it.';

ALTER TABLE frames
    ADD COLUMN scene_id integer REFERENCES scenes (id),
    ADD COLUMN format text NOT NULL DEFAULT 'jpeg' CHECK (format IN ('jpeg', 'png', 'webp', 'heif')),
    ADD COLUMN picture text,
    ADD COLUMN thumbnails integer[] CHECK (array_length(thumbnails, 1) = 3),
    ADD COLUMN contrast real CHECK (contrast >= 0),
    ADD COLUMN dark real CHECK (dark BETWEEN 0 AND 1),
    ADD COLUMN bright real CHECK (bright BETWEEN 0 AND 1),
    ADD COLUMN sharpness real CHECK (sharpness >= 0),
    ADD COLUMN perceptual_hash bigint,
    ADD COLUMN sun_height real CHECK (sun_height BETWEEN -90 AND 90),
    ADD COLUMN kept boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN frames.scene_id IS 'What it shows: the camera''s scene at the time it was taken.';
COMMENT ON COLUMN frames.format IS 'What the blob is.';
COMMENT ON COLUMN frames.picture IS 'Key of the JPEG that is shown and filmed instead of the blob: turned, cropped, converted; null: the blob is fine.';
COMMENT ON COLUMN frames.thumbnails IS 'Bytes of the three JPEGs, 160, 320 and 640 wide, in the blob thumbnails/… one behind another; null: none.';
COMMENT ON COLUMN frames.contrast IS 'Standard deviation of the Y plane.';
COMMENT ON COLUMN frames.dark IS 'Share of pixels with Y below 16.';
COMMENT ON COLUMN frames.bright IS 'Share of pixels with Y above 239.';
COMMENT ON COLUMN frames.sharpness IS 'Variance of the Laplacian of the 320 wide thumbnail''s Y plane.';
COMMENT ON COLUMN frames.perceptual_hash IS '64-bit difference hash: pictures that look alike differ in few bits; null for frames from before it was taken.';
COMMENT ON COLUMN frames.sun_height IS 'Degrees of the sun above the horizon when it was taken; null without coordinates.';
COMMENT ON COLUMN frames.kept IS 'Kept for ever, whatever the retention.';
UPDATE frames SET scene_id = camera_scenes.scene_id
    FROM camera_scenes WHERE camera_scenes.camera_id = frames.camera_id;
ALTER TABLE frames ALTER COLUMN scene_id SET NOT NULL;
CREATE INDEX frames_scene ON frames (scene_id, taken_at, sha256);

ALTER TABLE films ADD COLUMN scene_id integer REFERENCES scenes (id) ON DELETE SET NULL;
COMMENT ON COLUMN films.scene_id IS 'The scene whose frames it shows; null when it was removed: the film stays as it is.';
UPDATE films SET scene_id = camera_scenes.scene_id
    FROM camera_scenes WHERE camera_scenes.camera_id = films.camera_id;
ALTER TABLE films DROP COLUMN camera_id;
CREATE INDEX films_scene ON films (scene_id);

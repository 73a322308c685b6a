-- Room cameras: cameras, what they are doing, their frames.

CREATE TABLE cameras (
    id integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    name text NOT NULL UNIQUE CHECK (name ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
    title text NOT NULL DEFAULT '',
    kind text NOT NULL,
    url text,
    options jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(options) = 'object'),
    interval_s double precision NOT NULL DEFAULT 10 CHECK (interval_s >= 0.1),
    retention_s double precision NOT NULL DEFAULT 2592000 CHECK (retention_s >= 60),
    enabled boolean NOT NULL DEFAULT true,
    deleting_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    changed_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE cameras IS 'Cameras the scanner takes frames from; edited by an admin.';
COMMENT ON COLUMN cameras.id IS 'Number of the camera; part of its lease and of its blobs'' names.';
COMMENT ON COLUMN cameras.name IS 'Name in addresses; never changes.';
COMMENT ON COLUMN cameras.title IS 'Name for people; empty: the same as name.';
COMMENT ON COLUMN cameras.kind IS 'Which adapter reads it: http, ffmpeg, testcard.';
COMMENT ON COLUMN cameras.url IS 'Where it is, credentials included: shown to nobody but an admin; null for the test card.';
COMMENT ON COLUMN cameras.options IS 'Settings of the kind.';
COMMENT ON COLUMN cameras.interval_s IS 'Seconds between frames.';
COMMENT ON COLUMN cameras.retention_s IS 'Seconds a frame is kept after it was taken.';
COMMENT ON COLUMN cameras.enabled IS 'Whether the scanner takes frames.';
COMMENT ON COLUMN cameras.deleting_at IS 'Since when it is being removed; its frames go first, then the row.';
COMMENT ON COLUMN cameras.created_at IS 'When it was added.';
COMMENT ON COLUMN cameras.changed_at IS 'When one of the columns above last changed; set by a trigger.';

CREATE TABLE frames (
    id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    camera_id integer NOT NULL REFERENCES cameras (id),
    taken_at timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    width integer NOT NULL CHECK (width > 0),
    height integer NOT NULL CHECK (height > 0),
    bytes integer NOT NULL CHECK (bytes > 0),
    sha256 bytea NOT NULL CHECK (length(sha256) = 32),
    luma real NOT NULL CHECK (luma BETWEEN 0 AND 255),
    blob text NOT NULL,
    deleting_at timestamptz,
    UNIQUE (camera_id, taken_at, sha256)
);
CREATE INDEX frames_deleting ON frames (deleting_at) WHERE deleting_at IS NOT NULL;

COMMENT ON TABLE frames IS 'One picture of one camera. The blob is written before the row and removed before it.';
COMMENT ON COLUMN frames.id IS 'Number of the frame; grows in the order of arrival, not of taking.';
COMMENT ON COLUMN frames.camera_id IS 'The camera.';
COMMENT ON COLUMN frames.taken_at IS 'When the picture was taken, as well as we know.';
COMMENT ON COLUMN frames.received_at IS 'When it reached us, by our clock.';
COMMENT ON COLUMN frames.width IS 'Pixels.';
COMMENT ON COLUMN frames.height IS 'Pixels.';
COMMENT ON COLUMN frames.bytes IS 'Size of the blob.';
COMMENT ON COLUMN frames.sha256 IS 'Of the blob; the same bytes at the same time are one frame.';
COMMENT ON COLUMN frames.luma IS 'Mean of the Y plane, 0 black to 255 white.';
COMMENT ON COLUMN frames.blob IS 'Key in the blob store: frames/<camera>/<UTC day>/<microseconds>-<sha256, 16 digits>.jpg.';
COMMENT ON COLUMN frames.deleting_at IS 'Since when it is being removed; shown no more, its blob may be gone.';

CREATE TABLE camera_state (
    camera_id integer PRIMARY KEY REFERENCES cameras (id) ON DELETE CASCADE,
    connected boolean NOT NULL DEFAULT false,
    last_frame_id bigint REFERENCES frames (id) ON DELETE SET NULL,
    frames bigint NOT NULL DEFAULT 0,
    refused bigint NOT NULL DEFAULT 0,
    refusals jsonb NOT NULL DEFAULT '{}',
    failures integer NOT NULL DEFAULT 0,
    error text,
    hint text,
    failed_at timestamptz,
    next_at timestamptz
);
COMMENT ON TABLE camera_state IS 'How a camera is doing; written by the scanner that holds its lease.';
COMMENT ON COLUMN camera_state.camera_id IS 'The camera.';
COMMENT ON COLUMN camera_state.connected IS 'Whether the last attempt delivered.';
COMMENT ON COLUMN camera_state.last_frame_id IS 'Its latest frame by time taken.';
COMMENT ON COLUMN camera_state.frames IS 'Frames ever accepted.';
COMMENT ON COLUMN camera_state.refused IS 'Pictures ever refused.';
COMMENT ON COLUMN camera_state.refusals IS 'Reason → number, of the refused.';
COMMENT ON COLUMN camera_state.failures IS 'Failed attempts since the last frame.';
COMMENT ON COLUMN camera_state.error IS 'Why the last attempt failed; null after a frame.';
COMMENT ON COLUMN camera_state.hint IS 'What to do about the error.';
COMMENT ON COLUMN camera_state.failed_at IS 'When the error happened.';
COMMENT ON COLUMN camera_state.next_at IS 'When it is tried next.';

CREATE TRIGGER cameras_touch BEFORE UPDATE ON cameras
    FOR EACH ROW EXECUTE FUNCTION touch_changed_at();
CREATE TRIGGER cameras_notify AFTER INSERT OR UPDATE OR DELETE ON cameras
    FOR EACH ROW EXECUTE FUNCTION notify_configuration();

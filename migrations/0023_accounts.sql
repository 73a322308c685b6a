-- Accounts of cameras: what was due, what came, and why the rest did not.

CREATE TABLE camera_spans (
    id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    camera_id integer NOT NULL REFERENCES cameras (id) ON DELETE CASCADE,
    state text NOT NULL CHECK (state IN
        ('watching', 'source', 'network', 'refused', 'disk_full', 'unchanged')),
    detail text NOT NULL DEFAULT '',
    holder integer,
    from_at timestamptz NOT NULL,
    to_at timestamptz NOT NULL,
    CHECK (from_at <= to_at)
);
CREATE INDEX camera_spans_camera ON camera_spans (camera_id, to_at);
COMMENT ON TABLE camera_spans IS 'When a camera was watched, and when it went wrong how; read once, when missing frames are explained, and removed after two days.';
COMMENT ON COLUMN camera_spans.id IS 'Number of the span.';
COMMENT ON COLUMN camera_spans.camera_id IS 'The camera.';
COMMENT ON COLUMN camera_spans.state IS 'watching: a scanner held its lease; any other: a reason of camera_gaps.';
COMMENT ON COLUMN camera_spans.detail IS 'What went wrong, in words, without addresses.';
COMMENT ON COLUMN camera_spans.holder IS 'Of watching: process id of the database connection that held the lease; 0 for cameras that bring their frames.';
COMMENT ON COLUMN camera_spans.from_at IS 'When it began.';
COMMENT ON COLUMN camera_spans.to_at IS 'Until when it is known to have lasted; of a failure, when the next try was to be.';

CREATE TABLE camera_accounts (
    camera_id integer PRIMARY KEY REFERENCES cameras (id) ON DELETE CASCADE,
    until_at timestamptz NOT NULL,
    last_at timestamptz NOT NULL,
    missed_at timestamptz
) WITH (fillfactor = 50);
COMMENT ON TABLE camera_accounts IS 'How far each camera is accounted for; written by the chore cameras:accounts.';
COMMENT ON COLUMN camera_accounts.camera_id IS 'The camera.';
COMMENT ON COLUMN camera_accounts.until_at IS 'What was due before then is counted.';
COMMENT ON COLUMN camera_accounts.last_at IS 'When its last frame was taken, or since when frames are due.';
COMMENT ON COLUMN camera_accounts.missed_at IS 'The last moment after that which is counted as missed; null: none.';

CREATE TABLE camera_account_cursor (
    only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    frame_id bigint NOT NULL,
    passes bigint NOT NULL DEFAULT 0
);
COMMENT ON TABLE camera_account_cursor IS 'Which frames are accounted for; one row.';
COMMENT ON COLUMN camera_account_cursor.only_one IS 'Always true.';
COMMENT ON COLUMN camera_account_cursor.frame_id IS 'Frames up to this number are counted.';
COMMENT ON COLUMN camera_account_cursor.passes IS 'Grows with each pass, so that of two at once one is undone.';
INSERT INTO camera_account_cursor (frame_id) SELECT coalesce(max(id), 0) FROM frames;

CREATE TABLE camera_gaps (
    id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    camera_id integer NOT NULL REFERENCES cameras (id) ON DELETE CASCADE,
    from_at timestamptz NOT NULL,
    to_at timestamptz NOT NULL,
    reason text NOT NULL CHECK (reason IN
        ('source', 'network', 'refused', 'down', 'disk_full', 'unchanged')),
    detail text NOT NULL DEFAULT '',
    missed bigint NOT NULL CHECK (missed > 0),
    is_open boolean NOT NULL DEFAULT false,
    CHECK (from_at < to_at)
);
CREATE INDEX camera_gaps_camera ON camera_gaps (camera_id, to_at);
COMMENT ON TABLE camera_gaps IS 'Frames that were due one after another and did not come for one reason; removed after 400 days.';
COMMENT ON COLUMN camera_gaps.id IS 'Number of the gap.';
COMMENT ON COLUMN camera_gaps.camera_id IS 'The camera.';
COMMENT ON COLUMN camera_gaps.from_at IS 'The first moment at which a frame was due and did not come.';
COMMENT ON COLUMN camera_gaps.to_at IS 'When the next one was due, or came, after the last that did not.';
COMMENT ON COLUMN camera_gaps.reason IS 'source: the camera gave none; network: it cannot be reached from here; refused: what came was no good frame; down: Vigil did not watch; disk_full: there was no room; unchanged: it gave the same picture again.';
COMMENT ON COLUMN camera_gaps.detail IS 'The same for a person, without addresses.';
COMMENT ON COLUMN camera_gaps.missed IS 'How many frames that were due are missing.';
COMMENT ON COLUMN camera_gaps.is_open IS 'Whether no frame came since.';

CREATE TABLE camera_days (
    camera_id integer NOT NULL REFERENCES cameras (id) ON DELETE CASCADE,
    day date NOT NULL,
    planned bigint NOT NULL DEFAULT 0,
    left_out bigint NOT NULL DEFAULT 0,
    frames bigint NOT NULL DEFAULT 0,
    source bigint NOT NULL DEFAULT 0,
    network bigint NOT NULL DEFAULT 0,
    refused bigint NOT NULL DEFAULT 0,
    down bigint NOT NULL DEFAULT 0,
    disk_full bigint NOT NULL DEFAULT 0,
    unchanged bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (camera_id, day)
);
COMMENT ON TABLE camera_days IS 'A camera''s day in numbers; kept as long as the camera, whatever retention does to its frames.';
COMMENT ON COLUMN camera_days.camera_id IS 'The camera.';
COMMENT ON COLUMN camera_days.day IS 'Day of the scene, in its time zone.';
COMMENT ON COLUMN camera_days.planned IS 'Frames that were due.';
COMMENT ON COLUMN camera_days.left_out IS 'Frames that its interval alone would have asked for and its plan did not, or that fell into a time when it was switched off.';
COMMENT ON COLUMN camera_days.frames IS 'Frames that were taken that day and accepted, whenever they came and whether or not they are still there.';
COMMENT ON COLUMN camera_days.source IS 'Missed, since the camera gave none.';
COMMENT ON COLUMN camera_days.network IS 'Missed, since the camera could not be reached from here.';
COMMENT ON COLUMN camera_days.refused IS 'Missed, since what came was no good frame.';
COMMENT ON COLUMN camera_days.down IS 'Missed, since Vigil did not watch.';
COMMENT ON COLUMN camera_days.disk_full IS 'Missed, since there was no room.';
COMMENT ON COLUMN camera_days.unchanged IS 'Missed, since the camera gave the same picture again.';
INSERT INTO camera_accounts (camera_id, until_at, last_at) SELECT id, now(), now() FROM cameras;
INSERT INTO camera_days (camera_id, day, frames)
    SELECT f.camera_id, (f.taken_at AT TIME ZONE s.time_zone)::date, count(*)
    FROM frames f JOIN scenes s ON s.id = f.scene_id GROUP BY 1, 2;

CREATE TABLE camera_findings (
    camera_id integer NOT NULL REFERENCES cameras (id) ON DELETE CASCADE,
    kind text NOT NULL CHECK (kind ~ '^[a-z_]{1,30}$'),
    since_at timestamptz NOT NULL,
    message text NOT NULL,
    PRIMARY KEY (camera_id, kind)
);
COMMENT ON TABLE camera_findings IS 'What is wrong with a camera now; a row comes with an event and goes with one.';
COMMENT ON COLUMN camera_findings.camera_id IS 'The camera.';
COMMENT ON COLUMN camera_findings.kind IS 'silent, frozen, dark, blown_out, blurred, out_of_focus or clock.';
COMMENT ON COLUMN camera_findings.since_at IS 'Since when, as well as we know.';
COMMENT ON COLUMN camera_findings.message IS 'A sentence for a person.';

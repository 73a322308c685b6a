-- Room controllers: who may bring frames. Secrets are kept as SHA-256 of 256 random bits.

CREATE TABLE controllers (
    id integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    name text NOT NULL UNIQUE CHECK (name ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
    token_hash bytea NOT NULL UNIQUE CHECK (length(token_hash) = 32),
    version text NOT NULL DEFAULT '',
    report jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(report) = 'object'),
    clock_offset_s double precision,
    created_at timestamptz NOT NULL DEFAULT now(),
    seen_at timestamptz
);
COMMENT ON TABLE controllers IS 'Machines that run `vigil agent` and bring the frames of their cameras.';
COMMENT ON COLUMN controllers.id IS 'Number of the controller.';
COMMENT ON COLUMN controllers.name IS 'Name in addresses; never changes.';
COMMENT ON COLUMN controllers.token_hash IS 'SHA-256 of its token, which only the controller knows.';
COMMENT ON COLUMN controllers.version IS 'What its agent calls itself.';
COMMENT ON COLUMN controllers.report IS 'What it last said of itself: for each camera what waits in its spool, and its last error.';
COMMENT ON COLUMN controllers.clock_offset_s IS 'Seconds by which its clock was ahead of ours at its last report; null before one.';
COMMENT ON COLUMN controllers.created_at IS 'When it registered.';
COMMENT ON COLUMN controllers.seen_at IS 'When it last reported or brought frames, to the minute.';

CREATE TABLE controller_codes (
    code_hash bytea PRIMARY KEY CHECK (length(code_hash) = 32),
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL
);
COMMENT ON TABLE controller_codes IS 'One-time codes with which a controller registers itself; a used one is deleted.';
COMMENT ON COLUMN controller_codes.code_hash IS 'SHA-256 of the code.';
COMMENT ON COLUMN controller_codes.created_at IS 'When it was made.';
COMMENT ON COLUMN controller_codes.expires_at IS 'After this it opens nothing and is pruned.';

CREATE TABLE controller_cameras (
    camera_id integer PRIMARY KEY REFERENCES cameras (id) ON DELETE CASCADE,
    controller_id integer NOT NULL REFERENCES controllers (id) ON DELETE CASCADE
);
CREATE INDEX controller_cameras_controller ON controller_cameras (controller_id);
COMMENT ON TABLE controller_cameras IS 'Which controller brings a camera''s frames.';
COMMENT ON COLUMN controller_cameras.camera_id IS 'The camera, of kind push.';
COMMENT ON COLUMN controller_cameras.controller_id IS 'The controller.';

CREATE TABLE push_tokens (
    camera_id integer PRIMARY KEY REFERENCES cameras (id) ON DELETE CASCADE,
    token_hash bytea NOT NULL UNIQUE CHECK (length(token_hash) = 32),
    created_at timestamptz NOT NULL DEFAULT now(),
    used_at timestamptz
);
COMMENT ON TABLE push_tokens IS 'The token with which a camera or a script brings the frames of one camera.';
COMMENT ON COLUMN push_tokens.camera_id IS 'The camera.';
COMMENT ON COLUMN push_tokens.token_hash IS 'SHA-256 of the token, which is shown once and never kept.';
COMMENT ON COLUMN push_tokens.created_at IS 'When it was made; a new one makes the old one worthless.';
COMMENT ON COLUMN push_tokens.used_at IS 'When it last opened something, to the minute.';

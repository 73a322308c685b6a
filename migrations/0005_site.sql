-- Room site: which processes are alive, and which defaults were planted.

CREATE TABLE processes (
    name text NOT NULL,
    host text NOT NULL,
    pid integer NOT NULL,
    version text NOT NULL,
    started_at timestamptz NOT NULL,
    seen_at timestamptz NOT NULL,
    PRIMARY KEY (name, host, pid)
);
COMMENT ON TABLE processes IS 'Heartbeats of app, scanner and renderer; a row unseen for a minute is pruned.';
COMMENT ON COLUMN processes.name IS 'app, scanner or renderer.';
COMMENT ON COLUMN processes.host IS 'Host name of the machine it runs on.';
COMMENT ON COLUMN processes.pid IS 'Process id on that machine.';
COMMENT ON COLUMN processes.version IS 'Version of Vigil it runs.';
COMMENT ON COLUMN processes.started_at IS 'When it started, by the database''s clock.';
COMMENT ON COLUMN processes.seen_at IS 'Its last heartbeat, by the database''s clock; one each five seconds.';

CREATE TABLE planted (
    name text PRIMARY KEY,
    planted_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE planted IS 'Built-in things that were made once, so that one removed by a person stays removed.';
COMMENT ON COLUMN planted.name IS '<room>:<name>, e.g. camera:testcard.';
COMMENT ON COLUMN planted.planted_at IS 'When it was made.';

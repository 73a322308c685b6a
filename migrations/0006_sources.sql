-- Room sources: directories of live streams that the scanner looks through.

CREATE TABLE sources (
    id integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    name text NOT NULL UNIQUE CHECK (name ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
    kind text NOT NULL,
    base_url text,
    options jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(options) = 'object'),
    interval_s double precision NOT NULL DEFAULT 60 CHECK (interval_s >= 1),
    ttl_s double precision NOT NULL DEFAULT 600 CHECK (ttl_s >= 10),
    enabled boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT now(),
    changed_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE sources IS 'What the scanner looks through for live streams; edited by an admin.';
COMMENT ON COLUMN sources.id IS 'Number of the source; part of its lease.';
COMMENT ON COLUMN sources.name IS 'Name in addresses and on pages; never changes.';
COMMENT ON COLUMN sources.kind IS 'Which adapter reads it: twitch, owncast, peertube.';
COMMENT ON COLUMN sources.base_url IS 'Where it is; null: the address in the settings.';
COMMENT ON COLUMN sources.options IS 'Criteria of the kind, e.g. {"languages": ["en"], "max_viewers": 10}.';
COMMENT ON COLUMN sources.interval_s IS 'Seconds from the end of a pass to the next one.';
COMMENT ON COLUMN sources.ttl_s IS 'Seconds after which a stream that was not seen again expires.';
COMMENT ON COLUMN sources.enabled IS 'Whether the scanner looks at it.';
COMMENT ON COLUMN sources.created_at IS 'When it was added.';
COMMENT ON COLUMN sources.changed_at IS 'When one of the columns above last changed; set by a trigger.';

CREATE TABLE source_state (
    source_id integer PRIMARY KEY REFERENCES sources (id) ON DELETE CASCADE,
    started_at timestamptz,
    finished_at timestamptz,
    succeeded_at timestamptz,
    next_at timestamptz,
    complete boolean,
    pages integer NOT NULL DEFAULT 0,
    found integer NOT NULL DEFAULT 0,
    kept integer NOT NULL DEFAULT 0,
    refused integer NOT NULL DEFAULT 0,
    refusals jsonb NOT NULL DEFAULT '{}',
    failures integer NOT NULL DEFAULT 0,
    error text,
    hint text,
    failed_at timestamptz,
    budget_remaining integer,
    budget_limit integer
);
COMMENT ON TABLE source_state IS 'How the last pass over a source went; written by the scanner that holds its lease.';
COMMENT ON COLUMN source_state.source_id IS 'The source.';
COMMENT ON COLUMN source_state.started_at IS 'When the last pass began.';
COMMENT ON COLUMN source_state.finished_at IS 'When the last pass ended, well or badly; before started_at while one runs.';
COMMENT ON COLUMN source_state.succeeded_at IS 'When a pass last ended well.';
COMMENT ON COLUMN source_state.next_at IS 'When it is looked at next.';
COMMENT ON COLUMN source_state.complete IS 'Whether the last pass saw the whole directory, so that what it missed was retired.';
COMMENT ON COLUMN source_state.pages IS 'Answers read in the last pass.';
COMMENT ON COLUMN source_state.found IS 'Items in those answers, repetitions included.';
COMMENT ON COLUMN source_state.kept IS 'Different live streams written by the last pass.';
COMMENT ON COLUMN source_state.refused IS 'Items not kept: malformed or against the criteria.';
COMMENT ON COLUMN source_state.refusals IS 'Reason → number, of the refused.';
COMMENT ON COLUMN source_state.failures IS 'Failed passes since the last good one.';
COMMENT ON COLUMN source_state.error IS 'Why the last pass failed; null when it ended well.';
COMMENT ON COLUMN source_state.hint IS 'What to do about the error.';
COMMENT ON COLUMN source_state.failed_at IS 'When the error happened; kept after it is over.';
COMMENT ON COLUMN source_state.budget_remaining IS 'Requests left in the source''s rate limit; null when it names none.';
COMMENT ON COLUMN source_state.budget_limit IS 'Requests its rate limit allows.';

CREATE FUNCTION notify_configuration() RETURNS trigger LANGUAGE plpgsql AS $$
-- Tells every process that a row of configuration changed: the topic is the table's name.
BEGIN
    PERFORM pg_notify('vigil', json_build_object(
        'topic', TG_TABLE_NAME, 'id', COALESCE(NEW.id, OLD.id), 'change', lower(TG_OP))::text);
    RETURN NULL;
END $$;

CREATE FUNCTION touch_changed_at() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.changed_at := clock_timestamp();
    RETURN NEW;
END $$;

CREATE TRIGGER sources_touch BEFORE UPDATE ON sources
    FOR EACH ROW EXECUTE FUNCTION touch_changed_at();
CREATE TRIGGER sources_notify AFTER INSERT OR UPDATE OR DELETE ON sources
    FOR EACH ROW EXECUTE FUNCTION notify_configuration();

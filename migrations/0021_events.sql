-- Room notifications: what happened that a person may want to be told.

CREATE TABLE events (
    id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    at timestamptz NOT NULL DEFAULT now(),
    kind text NOT NULL CHECK (kind ~ '^[a-z][a-z0-9_.]{0,62}$'),
    subject text NOT NULL,
    message text NOT NULL,
    details jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(details) = 'object')
);
CREATE INDEX events_at ON events (at);
CREATE INDEX events_subject ON events (subject, id);
COMMENT ON TABLE events IS 'What happened, once for each time it did; removed after 90 days.';
COMMENT ON COLUMN events.id IS 'Number of the event; grows.';
COMMENT ON COLUMN events.at IS 'When it was noticed.';
COMMENT ON COLUMN events.kind IS 'Word to choose by, e.g. camera.silent and camera.silent.over.';
COMMENT ON COLUMN events.subject IS 'What it is about: camera:<name>.';
COMMENT ON COLUMN events.message IS 'A sentence for a person.';
COMMENT ON COLUMN events.details IS 'The same for programs.';

-- What an operator says: what is never shown, the message of the day, and more about each pass.

CREATE TABLE blocks (
    id integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    kind text NOT NULL CHECK (kind IN ('channel', 'word')),
    value text NOT NULL CHECK (value <> '' AND length(value) <= 200),
    created_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (kind, value)
);
COMMENT ON TABLE blocks IS 'Channels and words that are never kept, whichever source shows them; edited by an admin.';
COMMENT ON COLUMN blocks.id IS 'Number of the block.';
COMMENT ON COLUMN blocks.kind IS 'channel: value is its login, id or name; word: value stands as a whole word in title, category, tags or channel.';
COMMENT ON COLUMN blocks.value IS 'What is blocked, in lower case, its spaces single.';
COMMENT ON COLUMN blocks.created_by IS 'Name of the admin who blocked it.';
COMMENT ON COLUMN blocks.created_at IS 'When it was blocked.';

CREATE TABLE message_of_the_day (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    text text NOT NULL CHECK (text <> '' AND length(text) <= 1000),
    changed_by text NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE message_of_the_day IS 'What an admin tells every visitor on the front page: one row, or none.';
COMMENT ON COLUMN message_of_the_day.one IS 'Always true: there is one message at most.';
COMMENT ON COLUMN message_of_the_day.text IS 'The message, plain text.';
COMMENT ON COLUMN message_of_the_day.changed_by IS 'Name of the admin who wrote it.';
COMMENT ON COLUMN message_of_the_day.changed_at IS 'When it was written.';

ALTER TABLE source_state ADD COLUMN fresh integer NOT NULL DEFAULT 0;
ALTER TABLE source_state ADD COLUMN ended integer NOT NULL DEFAULT 0;
COMMENT ON COLUMN source_state.fresh IS 'Streams of the last pass that were not known before.';
COMMENT ON COLUMN source_state.ended IS 'Streams that the last pass removed because they are over.';

-- Streams remember: when they were first seen, who watched, what they called themselves. A chore of
-- the scanner takes a sample every few minutes; the tables that a pass writes know nothing of it.

CREATE TABLE stream_memories (
    stream_id bigint PRIMARY KEY,
    source_id integer NOT NULL,
    external_id text NOT NULL,
    slot integer NOT NULL UNIQUE CHECK (slot >= 0),
    since timestamptz NOT NULL,
    digest bigint NOT NULL,
    first_seen_at timestamptz NOT NULL,
    started_at timestamptz,
    peak integer NOT NULL CHECK (peak >= 0),
    peak_at timestamptz NOT NULL,
    titles text[] NOT NULL,
    titled_at timestamptz[] NOT NULL,
    category text NOT NULL,
    channel_id text NOT NULL,
    channel_login text NOT NULL,
    channel_name text NOT NULL,
    page_url text NOT NULL,
    CHECK (cardinality(titles) = cardinality(titled_at))
) WITH (fillfactor = 80);
COMMENT ON TABLE stream_memories IS 'What is remembered of each live stream; written by the chore that samples. No foreign keys: the chore finds out what is over. Its columns are those of ended_streams, in the same order.';
COMMENT ON COLUMN stream_memories.stream_id IS 'As in streams, where it may be gone since the last sample.';
COMMENT ON COLUMN stream_memories.source_id IS 'As in streams.';
COMMENT ON COLUMN stream_memories.external_id IS 'As in streams.';
COMMENT ON COLUMN stream_memories.slot IS 'Where its viewers stand in each sample from since on; given to another once it has ended.';
COMMENT ON COLUMN stream_memories.since IS 'When the first sample was taken that has it.';
COMMENT ON COLUMN stream_memories.digest IS 'Of its description, as in stream_liveness when this row was last brought up to date.';
COMMENT ON COLUMN stream_memories.first_seen_at IS 'As in streams.';
COMMENT ON COLUMN stream_memories.started_at IS 'As in streams.';
COMMENT ON COLUMN stream_memories.peak IS 'Most viewers in any sample.';
COMMENT ON COLUMN stream_memories.peak_at IS 'When they were seen.';
COMMENT ON COLUMN stream_memories.titles IS 'What it called itself, one after the other; the last one is the title it has.';
COMMENT ON COLUMN stream_memories.titled_at IS 'Since when, for each of titles.';
COMMENT ON COLUMN stream_memories.category IS 'As in streams.';
COMMENT ON COLUMN stream_memories.channel_id IS 'As in streams.';
COMMENT ON COLUMN stream_memories.channel_login IS 'As in streams.';
COMMENT ON COLUMN stream_memories.channel_name IS 'As in streams.';
COMMENT ON COLUMN stream_memories.page_url IS 'As in streams.';

CREATE TABLE ended_streams (
    LIKE stream_memories INCLUDING COMMENTS,
    ended_at timestamptz NOT NULL,
    PRIMARY KEY (source_id, external_id, ended_at)
);
CREATE INDEX ended_streams_ended_at ON ended_streams (ended_at);
COMMENT ON TABLE ended_streams IS 'What is remembered of streams that are over, for some days.';
COMMENT ON COLUMN ended_streams.ended_at IS 'When a sample found it gone, or would have; samples from then on are not its own.';

CREATE TABLE stream_samples (
    at timestamptz NOT NULL,
    block integer NOT NULL,
    hourly boolean NOT NULL,
    viewers integer[] NOT NULL,
    PRIMARY KEY (at, block)
);
COMMENT ON TABLE stream_samples IS 'Who watched at a moment: a row for each 1024 slots. Rows are added and deleted, never changed.';
COMMENT ON COLUMN stream_samples.at IS 'When the sample was taken.';
COMMENT ON COLUMN stream_samples.block IS 'Slot divided by 1024.';
COMMENT ON COLUMN stream_samples.hourly IS 'Whether it is the first of its hour, and is kept longer.';
COMMENT ON COLUMN stream_samples.viewers IS 'By slot modulo 1024, from 1 on; null where no stream has the slot.';

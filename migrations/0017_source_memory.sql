-- What an adapter wants to find again at its next pass, also after a restart.

CREATE TABLE source_memory (
    source_id integer PRIMARY KEY REFERENCES sources (id) ON DELETE CASCADE,
    memory text NOT NULL CHECK (length(memory) <= 4000000),
    kept_at timestamptz NOT NULL
);
COMMENT ON TABLE source_memory IS 'Notes of an adapter for its next pass; may be lost without loss.';
COMMENT ON COLUMN source_memory.source_id IS 'The source; whoever holds its lease writes here.';
COMMENT ON COLUMN source_memory.memory IS 'JSON that only the adapter understands, e.g. cursors to begin at.';
COMMENT ON COLUMN source_memory.kept_at IS 'When it was written.';

-- Ground floor: which blob store belongs to this database.

CREATE TABLE blob_store (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    marked_at timestamptz,
    single boolean NOT NULL UNIQUE DEFAULT true CHECK (single)
);
COMMENT ON TABLE blob_store IS 'The blob store of this database, one row. A file in the store, vigil-store.txt, names the id; without it nothing is written or removed there: the disk may not be mounted.';
COMMENT ON COLUMN blob_store.id IS 'What the file says.';
COMMENT ON COLUMN blob_store.marked_at IS 'When the file was first written, by whichever process started first; null: not yet, as the blobs that there should be were not there.';
COMMENT ON COLUMN blob_store.single IS 'Always true: there is one row.';

INSERT INTO blob_store DEFAULT VALUES;

-- A store that is not marked yet is known by these: oldest and newest of what should be there.
CREATE VIEW blob_samples AS
    (SELECT blob FROM frames WHERE deleting_at IS NULL ORDER BY id LIMIT 8)
    UNION
    (SELECT blob FROM frames WHERE deleting_at IS NULL ORDER BY id DESC LIMIT 8)
    UNION
    (SELECT blob FROM segments WHERE deleting_at IS NULL ORDER BY hash LIMIT 8);
COMMENT ON VIEW blob_samples IS 'Some of the blobs that are in the store, when it is the right one.';
COMMENT ON COLUMN blob_samples.blob IS 'Key in the blob store.';

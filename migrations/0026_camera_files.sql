-- Which files of a folder a camera has had, where they stay there.

CREATE TABLE camera_files (
    camera_id integer NOT NULL REFERENCES cameras (id) ON DELETE CASCADE,
    file bigint NOT NULL,
    PRIMARY KEY (camera_id, file)
);
COMMENT ON TABLE camera_files IS 'Files that a camera of kind folder has had and left where they are; may be lost without loss: they are read again and known.';
COMMENT ON COLUMN camera_files.camera_id IS 'The camera; whoever holds its lease writes here.';
COMMENT ON COLUMN camera_files.file IS 'First 64 bits of BLAKE2b of path, size and time of last change.';

-- What a frame occupies, what of each camera is kept, and what was removed to keep within limits.

ALTER TABLE frames
    ADD COLUMN picture_bytes integer CHECK (picture_bytes > 0),
    ADD COLUMN stored_bytes bigint NOT NULL GENERATED ALWAYS AS (
        bytes::bigint + coalesce(picture_bytes, 0)
        + coalesce(thumbnails[1] + thumbnails[2] + thumbnails[3], 0)
    ) STORED,
    ADD CHECK ((picture IS NULL) = (picture_bytes IS NULL));
COMMENT ON COLUMN frames.picture_bytes IS 'Size of the picture; null where the blob is fine.';
COMMENT ON COLUMN frames.stored_bytes IS 'What it takes in the blob store: blob, picture and thumbnails.';
CREATE INDEX frames_passing ON frames (camera_id, taken_at, sha256)
    WHERE NOT kept AND deleting_at IS NULL;

ALTER TABLE camera_state
    ADD COLUMN passing_frames bigint NOT NULL DEFAULT 0,
    ADD COLUMN passing_bytes bigint NOT NULL DEFAULT 0,
    ADD COLUMN expired_frames bigint NOT NULL DEFAULT 0,
    ADD COLUMN expired_bytes bigint NOT NULL DEFAULT 0;
COMMENT ON COLUMN camera_state.passing_frames IS 'Frames that are there and not kept for ever: what retention_frames limits.';
COMMENT ON COLUMN camera_state.passing_bytes IS 'What these take in the blob store: what retention_bytes limits.';
COMMENT ON COLUMN camera_state.expired_frames IS 'Frames that retention ever removed.';
COMMENT ON COLUMN camera_state.expired_bytes IS 'What these took in the blob store.';
UPDATE camera_state s SET passing_frames = f.number, passing_bytes = f.bytes
    FROM (
        SELECT camera_id, count(*) AS number, sum(stored_bytes)::bigint AS bytes
        FROM frames WHERE deleting_at IS NULL GROUP BY camera_id
    ) f
    WHERE f.camera_id = s.camera_id;

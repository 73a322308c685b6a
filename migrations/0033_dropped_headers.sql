-- Room films: the playlist of a film whose beginning leaves it goes on counting its changes of header.

ALTER TABLE films ADD COLUMN dropped_discontinuities bigint NOT NULL DEFAULT 0;
ALTER TABLE films ADD COLUMN dropped_init text;
COMMENT ON COLUMN films.dropped_discontinuities IS 'Changes of header among the segments that left; never goes back (RFC 8216, 4.3.3.3).';
COMMENT ON COLUMN films.dropped_init IS 'Header (segments.init) of the last segment that left; null: not known, or none left.';

-- What left before this was not counted: begin with the header that players have now.
UPDATE films f SET dropped_init = (
    SELECT s.init FROM film_segments l JOIN segments s USING (hash)
    WHERE l.film_id = f.id AND l.closed ORDER BY l.start LIMIT 1)
WHERE f.dropped_segments > 0;

-- Room films: the job that makes a film's file is known, so that its page can say how far it is.

ALTER TABLE films ADD COLUMN file_job_id bigint REFERENCES procrastinate_jobs (id) ON DELETE SET NULL;
COMMENT ON COLUMN films.file_job_id IS 'The last job that was to make its file; null: none was, or it is forgotten.';
COMMENT ON COLUMN films.file_key IS 'SHA-256 of the names of the segments that the file was made of, one after the other: another than that of those shown now means that it is out of date.';

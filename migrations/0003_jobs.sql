-- Room jobs: what a person wants to know of a job beside the engine's own row.

CREATE TABLE job_progress (
    job_id bigint PRIMARY KEY REFERENCES procrastinate_jobs (id) ON DELETE CASCADE,
    subject text NOT NULL,
    title text NOT NULL,
    done bigint NOT NULL DEFAULT 0 CHECK (done >= 0),
    total bigint CHECK (total >= 0),
    unit text NOT NULL DEFAULT '',
    message text NOT NULL DEFAULT '',
    error text,
    failures integer NOT NULL DEFAULT 0 CHECK (failures >= 0),
    log_task text,
    created_at timestamptz NOT NULL DEFAULT now(),
    started_at timestamptz,
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX job_progress_subject ON job_progress (subject, job_id DESC);

COMMENT ON TABLE job_progress IS 'Progress and story of one job; the engine''s row is the truth about its state.';
COMMENT ON COLUMN job_progress.job_id IS 'The engine''s job; this row goes with it.';
COMMENT ON COLUMN job_progress.subject IS 'What the job works on, as <room>:<id>, e.g. film:12. Written when enqueued.';
COMMENT ON COLUMN job_progress.title IS 'One line for a person. Written when enqueued.';
COMMENT ON COLUMN job_progress.done IS 'Units finished so far; written by the renderer while it works.';
COMMENT ON COLUMN job_progress.total IS 'Units in all; null while unknown.';
COMMENT ON COLUMN job_progress.unit IS 'What is counted, plural: frames, segments, bytes.';
COMMENT ON COLUMN job_progress.message IS 'What is being done right now, one line.';
COMMENT ON COLUMN job_progress.error IS 'Why the last attempt failed; null when it did not.';
COMMENT ON COLUMN job_progress.failures IS 'Attempts that ended in an error since it was enqueued or retried by a person.';
COMMENT ON COLUMN job_progress.log_task IS 'eliot task id under which every process logs this job.';
COMMENT ON COLUMN job_progress.created_at IS 'When it was enqueued.';
COMMENT ON COLUMN job_progress.started_at IS 'When the last attempt began; null before the first.';
COMMENT ON COLUMN job_progress.updated_at IS 'When this row was last written.';

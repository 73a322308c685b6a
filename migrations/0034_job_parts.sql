-- Room jobs: jobs that are parts of other work, and who has a job in hand.

ALTER TABLE job_progress
    ADD COLUMN part boolean NOT NULL DEFAULT false,
    ADD COLUMN host text,
    ADD COLUMN pid integer;
COMMENT ON COLUMN job_progress.part IS 'It is a part of other work on its subject, one of up to thousands; lists leave it out. Written when enqueued.';
COMMENT ON COLUMN job_progress.host IS 'Host name of the machine that made the last attempt; null before the first.';
COMMENT ON COLUMN job_progress.pid IS 'Process id of the renderer on that machine.';

UPDATE job_progress p SET part = true
FROM procrastinate_jobs j WHERE j.id = p.job_id AND j.task_name = 'films.segment';

-- Lists without parts: the newest of all, and of one subject.
CREATE INDEX job_progress_whole ON job_progress (job_id DESC) WHERE NOT part;
CREATE INDEX job_progress_subject_whole ON job_progress (subject, job_id DESC) WHERE NOT part;

-- Lists by state: the few that run or failed are found among many that are done.
CREATE INDEX procrastinate_jobs_status ON procrastinate_jobs (status, id);

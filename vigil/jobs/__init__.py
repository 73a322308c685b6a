"""Jobs: work to be done, by any renderer, with its progress and its story.

The engine is procrastinate (migrations/0002): its row of a job is the truth about the job's
state. Our side table ``job_progress`` hangs on it and holds what a person wants to know.
engine.py runs procrastinate's worker in a renderer; the table of tasks stands in renderer.py.

A job may be a part of other work on its subject, as the segments of a film are: thousands, which
lists leave out unless asked (listing/), and which are forgotten within minutes unless they failed.

Tables: job_progress; procrastinate_jobs, procrastinate_workers and procrastinate_events belong
to the engine.
Routes: /jobs, /jobs/<id>, /jobs/events, /api/v1/jobs, /api/v1/jobs/<id>[/cancel|/retry].
Chores: jobs:stalled (puts back the jobs of dead renderers), jobs:prune.

A crash costs what the job in hand had not yet kept, and about twenty seconds.
"""

"""The renderer's job: a place's pictures become frames.

What does it (bringing.py) is loaded with the first import that comes: it takes three MB, decoders
and all, and most renderers never see one.
"""

from __future__ import annotations

from vigil.cameras.importing import store
from vigil.context import Context
from vigil.jobs.model import RunningJob, Task


async def bring(context: Context, job: RunningJob) -> None:
    """The job: go on with an import from where its last checkpoint is."""
    from vigil.cameras.importing import bringing

    await bringing.bring(context, job)


BRING = Task(name=store.TASK, run=bring, queue=store.QUEUE, attempts=20)
"""Takes hours; has a worker of its own in each renderer."""

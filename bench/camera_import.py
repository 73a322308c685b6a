"""Importing a folder, against giving the same pictures to intake; a second run; a preview.

A folder of 4056×3040 JPEGs, no two alike. The baseline reads the files and gives them to intake,
eight at once. Ours is the job: listing in order, times, whether each is there, intake, checkpoints.
Then the same folder again, where everything is known; and what a preview of 100,000 small files
takes, and how much memory listing them does.

    .venv/bin/python -m bench.camera_import [--pictures 40] [--rounds 3] [--files 100000]
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import resource
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bench.camera_intake import pictures
from bench.harness import Side, compare, machine
from vigil import postgres
from vigil.cameras import adding, intake
from vigil.cameras.importing import places, previewing, starting, store, work
from vigil.cameras.importing.starting import Wanted
from vigil.cameras.model import Camera, Frame, RawFrame
from vigil.context import Context, open_context
from vigil.jobs.model import RunningJob
from vigil.settings import Settings

AT_ONCE = 8
NOW = datetime.now(UTC)


def different(data: bytes, number: int) -> bytes:
    """The same picture with a comment in it."""
    comment = f"picture {number}".encode()
    return data[:2] + b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment + data[2:]


async def bench(context: Context, scratch: Path, options: argparse.Namespace) -> None:
    """Measure."""
    some = await pictures(scratch / "pictures")
    numbers = itertools.count()
    folders = itertools.count()

    def fresh() -> Path:
        folder = scratch / f"folder{next(folders)}"
        folder.mkdir()
        for data in itertools.islice(itertools.cycle(some), options.pictures):
            mark = next(numbers)
            taken = NOW - timedelta(days=20) + timedelta(seconds=mark)
            (folder / f"{taken:%Y%m%d_%H%M%S}.jpg").write_bytes(different(data, mark))
        return folder

    number: int = options.pictures

    async def plainly() -> float:
        folder = fresh()
        name = f"plain{next(numbers)}"
        camera = await adding.add(context.pool, adding.Wanted(name=name, url="push"))
        begin = time.perf_counter()
        queue = iter(sorted(folder.iterdir()))
        await asyncio.gather(*(deliver(context, camera, queue) for _ in range(AT_ONCE)))
        return number / (time.perf_counter() - begin)

    async def imported(folder: Path, camera: str, *, new: bool) -> float:
        wanted = Wanted(camera=camera, place=str(folder), new=new)
        one = await starting.start(context, wanted)
        found = await store.get(context.pool, one.id)
        assert found is not None
        assert found.job_id is not None
        begin = time.perf_counter()
        job = RunningJob(id=found.job_id, arguments={"import_id": one.id}, save=_saved)
        await work.bring(context, job)
        took = time.perf_counter() - begin
        done = await store.get(context.pool, one.id)
        assert done is not None
        assert done.files == options.pictures
        assert done.added == (options.pictures if new else 0)
        return number / took

    last: dict[str, Any] = {"folder": scratch, "camera": ""}

    async def ours() -> float:
        last["folder"], last["camera"] = fresh(), f"ours{next(numbers)}"
        return await imported(last["folder"], last["camera"], new=True)

    result = await compare(
        f"4056×3040 JPEGs of {sum(map(len, some)) / len(some) / 1e6:.1f} MB in a folder",
        Side("intake alone", plainly),
        Side("import", ours),
        unit="a second",
        rounds=options.rounds,
    )
    print(machine())
    print(result)
    again = await imported(last["folder"], last["camera"], new=False)
    print(f"again, all known: {again:.0f} a second")
    await many(context, scratch, options.files)


async def many(context: Context, scratch: Path, number: int) -> None:
    """A preview of very many small files in one folder, and listing them all."""
    folder = scratch / "many"
    folder.mkdir()
    data = (scratch / "pictures" / "01.jpg").read_bytes()[:20_000]
    for n in range(number):
        (folder / f"{NOW - timedelta(seconds=n):%Y%m%d_%H%M%S}.jpg").write_bytes(
            data[: 500 + n % 9]
        )
    begin = time.perf_counter()
    checked = await starting.check(context, Wanted(camera="many", place=str(folder), new=True))
    told = await previewing.preview(context, checked)
    took = time.perf_counter() - begin
    print(f"preview of {told.files} files: {took:.1f} s, {told.looked_at} read")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    begin, seen = time.perf_counter(), 0
    async for page in places.Folder.of(context.settings, folder, "").pages(None):
        seen += len(page)
    took = time.perf_counter() - begin
    grew = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    print(f"listing {seen} files of one folder in order: {took:.1f} s, {grew / 1000:.1f} MB more")


async def deliver(context: Context, camera: Camera, queue: Iterator[Path]) -> None:
    """Bring files one after the other until there are no more."""
    for path in queue:
        data = await asyncio.to_thread(path.read_bytes)
        taken = datetime.strptime(path.stem, "%Y%m%d_%H%M%S").replace(tzinfo=UTC)
        outcome = await intake.accept(context, camera, RawFrame(data=data, taken_at=taken))
        assert isinstance(outcome, Frame), outcome


async def _saved(_values: Any) -> bool:
    return True


async def main(options: argparse.Namespace) -> None:
    """Set everything up and measure."""
    with tempfile.TemporaryDirectory(prefix="vigil-bench-") as folder:
        scratch = Path(folder)
        scratch.chmod(0o755)
        settings = Settings(data_dir=scratch / "data")
        with postgres.running(settings.data_dir):
            async with open_context(settings, "bench") as context:
                await bench(context, scratch, options)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--pictures", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--files", type=int, default=100_000)
    asyncio.run(main(parser.parse_args()))

"""What /metrics says, in Prometheus's words; made anew at each visit, kept nowhere."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime

import asyncpg
from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder

import db_utils
from vigil import __version__
from vigil.cameras.accounts import store as accounts
from vigil.cameras.health import store as findings
from vigil.context import Context
from vigil.games import store as games
from vigil.site import store
from vigil.site.health import DAEMONS, SILENT_AFTER_S, Health
from vigil.site.model import Counts, Snapshot

COUNTS_TIMEOUT_S = 5.0


class _Ready:
    """A collector of what is already there."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = list(families)

    def collect(self) -> Iterable[Metric]:
        return self._families


async def render(
    context: Context, health: Health, errors: Counter[str], accept: str
) -> tuple[bytes, str]:
    """The text and its content type, for what the visitor accepts."""
    (database, snapshot), storage, disk = await asyncio.gather(
        health.look(), health.storage(), health.disk()
    )
    families: list[Metric] = [
        GaugeMetricFamily("vigil_info", "Version that runs.", labels=["version"]),
        _gauge("vigil_database_up", "Whether the database answers.", database.status == "ok"),
        _gauge("vigil_storage_up", "Whether the blob store works.", storage.status == "ok"),
        _gauge(
            "vigil_database_latency_seconds", "Of one look.", round(database.latency_ms / 1000, 6)
        ),
        _counter("vigil_errors", "Requests that failed, by error code.", "code", errors),
    ]
    if disk is not None:
        families += [
            _gauge("vigil_disk_free_bytes", "Of the disk that holds the blobs.", disk.free_bytes),
            _gauge("vigil_disk_reserve_bytes", "What stays free of it.", disk.reserve_bytes),
            _gauge("vigil_disk_shedding", "What is given up for it, 0 to 4.", disk.shedding),
        ]
    families[0].add_sample("vigil_info", {"version": __version__}, 1)
    if snapshot is not None:
        families += [*_processes(snapshot), *_sources(snapshot), *_cameras(snapshot)]
        families += _numbers(await _counts(context))
        families += await _accounts(context)
        families += await _games(context)
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Ready(families))
    ProcessCollector(registry=registry)
    encode, content_type = choose_encoder(accept)
    return encode(registry), content_type


async def _counts(context: Context) -> Counts | None:
    try:
        async with asyncio.timeout(COUNTS_TIMEOUT_S):
            return await store.counts(context.pool)
    except (*db_utils.GONE, TimeoutError, asyncpg.PostgresError):
        return None  # better some numbers than none


async def _accounts(context: Context) -> list[Metric]:
    try:
        async with asyncio.timeout(COUNTS_TIMEOUT_S):
            missing = await accounts.missing(context.pool)
            wrong = await findings.by_name(context.pool)
    except (*db_utils.GONE, TimeoutError, asyncpg.PostgresError):
        return []
    lacking = GaugeMetricFamily(
        "vigil_camera_missing_frames",
        "Frames that were due and are missing; late ones are taken off again.",
        labels=["camera", "reason"],
    )
    for labels, number in missing.items():
        lacking.add_metric(labels, number)
    found = GaugeMetricFamily(
        "vigil_camera_finding", "What is wrong with a camera now.", labels=["camera", "kind"]
    )
    for pair in wrong:
        found.add_metric(pair, 1)
    return [lacking, found]


async def _games(context: Context) -> list[Metric]:
    try:
        async with asyncio.timeout(COUNTS_TIMEOUT_S):
            states = await games.states(context.pool)
            recorded = await games.running(context.pool)
    except (*db_utils.GONE, TimeoutError, asyncpg.PostgresError):
        return []
    named = [(f"{one.site}/{one.number}", one) for one in recorded]
    return [
        _labelled("vigil_games", "Recorded games, by state.", "state", states),
        _labelled(
            "vigil_game_last_success_timestamp_seconds",
            "When a game's site last told its state.",
            "game",
            _moments((name, one.seen_at) for name, one in named),
        ),
        _labelled(
            "vigil_game_failures",
            "Failed looks since the last good one.",
            "game",
            {name: one.failures for name, one in named},
        ),
    ]


def _processes(snapshot: Snapshot) -> Iterable[Metric]:
    up = Counter(p.name for p in snapshot.processes if p.age_s < SILENT_AFTER_S)
    numbers = {name: up[name] for name in sorted({*DAEMONS, *up})}
    yield _labelled("vigil_processes", "Processes alive, by name.", "name", numbers)


def _sources(snapshot: Snapshot) -> Iterable[Metric]:
    sources = snapshot.sources

    def family(name: str, text: str, values: Mapping[str, float]) -> Metric:
        return _labelled(f"vigil_source_{name}", text, "source", values)

    yield family("enabled", "Whether it is looked at.", {s.name: s.enabled for s in sources})
    yield family(
        "last_success_timestamp_seconds",
        "When a pass last ended well.",
        _moments((s.name, s.succeeded_at) for s in sources),
    )
    yield family(
        "failures", "Failed passes since the last good one.", {s.name: s.failures for s in sources}
    )
    yield family("found", "Items seen in the last pass.", {s.name: s.found for s in sources})
    yield family("kept", "Streams written by the last pass.", {s.name: s.kept for s in sources})
    yield family("refused", "Items refused in the last pass.", {s.name: s.refused for s in sources})


def _cameras(snapshot: Snapshot) -> Iterable[Metric]:
    cameras = snapshot.cameras
    yield _counter(
        "vigil_camera_frames", "Frames accepted.", "camera", {c.name: c.frames for c in cameras}
    )
    yield _counter(
        "vigil_camera_refused", "Pictures refused.", "camera", {c.name: c.refused for c in cameras}
    )
    yield _counter(
        "vigil_camera_expired_frames",
        "Frames that retention removed.",
        "camera",
        {c.name: c.expired_frames for c in cameras},
    )
    yield _counter(
        "vigil_camera_expired_bytes",
        "What these took.",
        "camera",
        {c.name: c.expired_bytes for c in cameras},
    )
    yield _labelled(
        "vigil_camera_connected",
        "Whether the last attempt delivered.",
        "camera",
        {c.name: c.connected for c in cameras},
    )
    yield _labelled(
        "vigil_camera_last_frame_timestamp_seconds",
        "When the last frame was taken.",
        "camera",
        _moments((c.name, c.last_frame_at) for c in cameras),
    )


def _numbers(counts: Counts | None) -> Iterable[Metric]:
    if counts is None:
        return
    yield _labelled("vigil_streams_live", "Streams live now.", "source", counts.streams)
    yield _labelled("vigil_films", "Films, by state.", "state", counts.films)
    yield _labelled("vigil_jobs", "Jobs without parts of others, by state.", "state", counts.jobs)
    yield _labelled(
        "vigil_job_parts", "Jobs that are parts, as segments of films.", "state", counts.parts
    )


def _moments(pairs: Iterable[tuple[str, datetime | None]]) -> dict[str, float]:
    return {name: moment.timestamp() for name, moment in pairs if moment is not None}


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, text, value=float(value))


def _labelled(name: str, text: str, label: str, values: Mapping[str, float]) -> Metric:
    family = GaugeMetricFamily(name, text, labels=[label])
    for key, value in values.items():
        family.add_metric([key], float(value))
    return family


def _counter(name: str, text: str, label: str, values: Mapping[str, float]) -> Metric:
    family = CounterMetricFamily(name, text, labels=[label])
    for key, value in values.items():
        family.add_metric([key], float(value))
    return family

# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""/metrics: the last account in Prometheus' words, made when it is asked for. Base units: seconds, bytes, joules."""

from collections.abc import Iterator

from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from ... import __version__
from ...account import BOUNDS_MS, Buckets, Summary
from .feed import Feed

LIMITS = [*(f"{ms / 1000:g}" for ms in BOUNDS_MS), "+Inf"]
"""Of the buckets, in seconds."""


class Exposition(Collector):
    """Tells Prometheus what the feed's last account holds."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)

    async def answer(self, request: web.Request) -> web.Response:
        """Answer a scrape in the form that it asks for."""
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        return web.Response(body=encode(self._registry), headers={"Content-Type": content_type})

    def collect(self) -> Iterator[Metric]:
        """Yield every metric; before the first account, only who we are."""
        summary = self._feed.summary
        yield _build(summary)
        yield _gauge("camera_up", "Whether the camera delivers.", self._feed.camera_up)
        if summary:
            yield from _frames(summary)
            yield from _durations(summary)
            yield from _board(summary)
            yield from _model(summary)


def _build(summary: Summary | None) -> Metric:
    info = {"version": __version__}
    if summary:
        info |= {"model": summary.model, "runtime": summary.runtime, "delegate": summary.delegate}
    family = GaugeMetricFamily("labelcam_build_info", "What runs.", labels=list(info))
    family.add_metric(list(info.values()), 1)
    return family


def _frames(summary: Summary) -> Iterator[Metric]:
    yield CounterMetricFamily("labelcam_frames", "Frames classified.", value=summary.frames)
    dropped = CounterMetricFamily("labelcam_dropped", "Frames that came to nothing.", labels=["reason"])
    for reason, count in summary.dropped_reasons.items():
        dropped.add_metric([reason], count)
    yield dropped
    lost = CounterMetricFamily("labelcam_publisher_dropped", "What a publisher was too slow for.", labels=["publisher"])
    for name, count in summary.publishers.items():
        lost.add_metric([name], count)
    yield lost


def _durations(summary: Summary) -> Iterator[Metric]:
    stages = HistogramMetricFamily("labelcam_stage_seconds", "What each stage of a frame took.", labels=["stage"])
    for name, buckets in summary.buckets.items():
        if name != "age":
            stages.add_metric([name], _cumulative(buckets), buckets.total_ms / 1000)
    yield stages
    if age := summary.buckets.get("age"):
        text = "From a frame's time stamp to its decision."
        yield HistogramMetricFamily("labelcam_age_seconds", text, _cumulative(age), age.total_ms / 1000)


def _cumulative(buckets: Buckets) -> list[tuple[str, float]]:
    return list(zip(LIMITS, map(float, (*buckets.counts, buckets.count)), strict=True))


def _board(summary: Summary) -> Iterator[Metric]:
    vitals = summary.vitals
    known = (
        ("power_watts", "Power of the board.", vitals.watts),
        ("temperature_celsius", "Temperature of the SoC.", vitals.celsius),
        ("throttled", "Whether the firmware holds the clock down.", vitals.throttled),
        ("clock_hertz", "Clock of the CPU.", vitals.mhz and vitals.mhz * 1e6),
        ("fps_limit", "Frames a second that heat or power leave us.", summary.fps_limit),
        ("resident_memory_bytes", "Resident memory of the process.", summary.rss_mb * 1e6),
    )
    for name, text, value in known:
        if value is not None:  # what this board cannot tell is left out, never told as 0
            yield _gauge(name, text, value)
    if energy := summary.energy:
        text = "What the power meter has counted since the start."
        yield CounterMetricFamily("labelcam_energy_joules", text, value=energy.joules)


def _model(summary: Summary) -> Iterator[Metric]:
    taken, total = summary.delegated_ops
    yield _gauge("delegated_ops", "Operations of the network that the delegate took.", taken)
    yield _gauge("ops", "Operations of the network.", total)
    yield CounterMetricFamily("labelcam_fallbacks", "Times that the CPU took over.", value=summary.fallbacks)
    if shadow := summary.shadow:
        text = "Frames that the shadow model has answered too."
        yield CounterMetricFamily("labelcam_shadow_frames", text, value=shadow.asked)
        text = "Of those, the ones with another best label."
        yield CounterMetricFamily("labelcam_shadow_disagreements", text, value=shadow.disagreed)


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(f"labelcam_{name}", text, value=value)

"""Prometheus gauges and counters; what the workers did is counted in Redis, so that one scrape of any API tells it all."""

from __future__ import annotations

from collections.abc import Iterator
from time import time

import redis
from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from workers.app import BULK, INTERACTIVE
from workers.gauges import counters, living_workers, oldest_age
from workers.store import ACTIVE, Store


class Workload(Collector):
    def __init__(self, store: Store) -> None:
        self._store = store

    def collect(self) -> Iterator[Metric]:
        up = GaugeMetricFamily("eligo_redis_up", "1 when the job store answers")
        try:
            families = list(self._read())
            up.add_metric([], 1)
        except redis.RedisError:
            families = []
            up.add_metric([], 0)
        yield from [up, *families]

    def _read(self) -> Iterator[Metric]:
        client = self._store.redis
        depth = GaugeMetricFamily("eligo_queue_depth", "Turns waiting", labels=["queue"])
        for queue in (INTERACTIVE, BULK):
            depth.add_metric([queue], client.llen(queue))
        yield depth
        yield GaugeMetricFamily("eligo_active_jobs", "Jobs accepted and not finished", client.zcard(ACTIVE))
        yield GaugeMetricFamily("eligo_oldest_job_seconds", "Age of the oldest unfinished job", oldest_age(client, time()))
        workers = living_workers(client)
        yield GaugeMetricFamily("eligo_worker_processes", "Worker processes alive", len(workers))
        yield GaugeMetricFamily("eligo_worker_memory_bytes_max", "Peak memory of the largest worker process", max(workers.values(), default=0))
        stats = counters(client)
        notes = CounterMetricFamily("eligo_notes", "Notes settled, by outcome", labels=["outcome"])
        stages = CounterMetricFamily("eligo_stage_seconds", "Time spent, by stage: wait in the queue, read, match, answer, work (all of it)", labels=["stage"])
        for name, value in sorted(stats.items()):
            kind, _, rest = name.partition(":")
            if kind == "notes":
                notes.add_metric([rest], value)
            elif kind == "seconds":
                stages.add_metric([rest], value)
        yield notes
        yield stages


def make_metrics(store: Store) -> tuple[CollectorRegistry, Counter, Histogram]:
    collected = CollectorRegistry()
    collected.register(Workload(store))
    requests = Counter("eligo_requests", "Requests answered", ["method", "route", "status"], registry=collected)
    seconds = Histogram("eligo_request_seconds", "Time to answer", ["route"], registry=collected, buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10))
    return collected, requests, seconds

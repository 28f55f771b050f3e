"""Samples in Prometheus' text format; the only module that knows its client library, beside the command that serves."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from provisioner.watching.metrics import METRICS
from provisioner.watching.samples import Sample


class Samples(Collector):
    """What a function returns, each time somebody asks."""

    def __init__(self, take: Callable[[], Iterable[Sample]]) -> None:
        self._take = take

    def describe(self) -> Iterator[Metric]:
        """Nothing, so that nobody is asked before the first scrape."""
        yield from ()

    def collect(self) -> Iterator[Metric]:
        """Every metric that has a sample, in the table's order."""
        taken = [*self._take()]
        for metric in METRICS:
            kind = CounterMetricFamily if metric.is_counter else GaugeMetricFamily
            family = kind(metric.full_name, metric.help, labels=metric.labels)
            for sample in taken:
                if sample.metric is metric:
                    family.add_metric(sample.labels, sample.value)
            if family.samples:
                yield family


def registry(take: Callable[[], Iterable[Sample]]) -> CollectorRegistry:
    """A registry of nothing but samples."""
    only = CollectorRegistry(auto_describe=False)
    only.register(Samples(take))
    return only


def text(samples: Iterable[Sample]) -> str:
    """The text of a scrape."""
    return generate_latest(registry(lambda: samples)).decode()

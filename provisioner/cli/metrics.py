"""``streams metrics``: what a status knows, for Prometheus: printed, in a file, or at an address that it scrapes."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from collections.abc import Iterable
from datetime import UTC, datetime

from prometheus_client import CollectorRegistry, generate_latest, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from provisioner.cli.addresses import address
from provisioner.cli.parser import default_catalogue
from provisioner.cli.written import write_whole
from provisioner.errors import ProvisionerError
from provisioner.log import tell
from provisioner.status.collect import INPUT, Wishes, collect
from provisioner.status.history import last_successful_up
from provisioner.watching.names import METRICS, Metric
from provisioner.watching.samples import Sample, samples_of


def run(options: argparse.Namespace) -> int:
    """Ask once and write the metrics, or serve them until a signal comes."""
    if options.listen:
        return _serve(options)
    text = generate_latest(_registry(_Once(samples(options)))).decode()
    if options.output:
        write_whole(options.output, text)
    else:
        sys.stdout.write(text)
    return 0


def samples(options: argparse.Namespace) -> list[Sample]:
    """Ask the server once.

    Raises:
        ProvisionerError: the catalogue or a URL cannot be used; a server that does not answer is a sample.
    """
    last_up = last_successful_up(options.history) if options.history else None
    file, wishes = options.catalogue or default_catalogue(), Wishes(replicas=options.replicas)
    report = collect(file, options.url, options.monitor_url, os.environ, wishes)
    if unusable := [result.text for result in report.server if result.name == INPUT]:
        raise ProvisionerError("\n".join(unusable))
    return [*samples_of(report, datetime.now(UTC), last_up)]


class _Once(Collector):
    """Samples that are there already."""

    def __init__(self, found: Iterable[Sample]) -> None:
        self._found = found

    def collect(self) -> Iterable[GaugeMetricFamily | CounterMetricFamily]:
        return families(self._found)


class _EachTime(Collector):
    """Asks the server for each scrape, one after the other; says a problem when it changes."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._options, self._turn, self._problem = options, threading.Lock(), ""

    def collect(self) -> Iterable[GaugeMetricFamily | CounterMetricFamily]:
        with self._turn:
            found, problem = self._asked()
            if problem and problem != self._problem:
                tell(problem)
            self._problem = problem
        return families(found)

    def _asked(self) -> tuple[list[Sample], str]:
        """No sample at all is what the alert StreamsUnwatched is for."""
        try:
            return samples(self._options), ""
        except ProvisionerError as error:
            return [], str(error)


def families(found: Iterable[Sample]) -> list[GaugeMetricFamily | CounterMetricFamily]:
    """The samples by metric, in the order of the table."""
    made = {metric: _family(metric) for metric in METRICS}
    for sample in found:
        made[sample.metric].add_metric([sample.labels[name] for name in sample.metric.labels], sample.value)
    return [family for family in made.values() if family.samples]


def _family(metric: Metric) -> GaugeMetricFamily | CounterMetricFamily:
    kind = CounterMetricFamily if metric.counts else GaugeMetricFamily
    return kind(metric.name, metric.doc, labels=metric.labels)


def _registry(collector: Collector) -> CollectorRegistry:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(collector)
    return registry


def _serve(options: argparse.Namespace) -> int:
    where = address("--listen", options.listen)
    samples(options)  # what cannot be used is said before anybody scrapes
    stopped = threading.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda *_: stopped.set())
    try:
        server, thread = start_http_server(where.port, where.host, _registry(_EachTime(options)))
    except OSError as error:
        raise ProvisionerError(f"--listen {options.listen}: {error.strerror}") from error
    tell(f"metrics at http://{where}/metrics")
    stopped.wait()
    server.shutdown()
    thread.join()
    return 0

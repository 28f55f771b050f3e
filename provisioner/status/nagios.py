"""A report as the one line that Nagios and its kin read, as jsm.go's ``monitor`` prints it for ``nats server check``.

``STATUS NAME Crit:… Warn:… OK:… | figures``, each figure as ``label=value;warning;critical``. Of one stream the labels
are the ones that the ``nats`` command has; of several, the stream's name comes first.
"""

from __future__ import annotations

from collections.abc import Iterator

from provisioner.status.consumers import ConsumerHealth
from provisioner.status.report import Report
from provisioner.status.server_checks import Result, Severity
from provisioner.status.stream_checks import StreamHealth
from provisioner.status.thresholds import Levels
from provisioner.text import counted, printable

_WORDS = {Severity.CRITICAL: "Crit", Severity.UNKNOWN: "Unknown", Severity.WARNING: "Warn"}


def nagios(report: Report) -> str:
    """The line."""
    is_alone = report.detail is not None
    name = report.streams[0].spec.name if is_alone else "streams"
    told = [_told(result, severity) for severity in _WORDS for result in report.results if result.severity is severity]
    whole = [stream for stream in report.streams if stream.state == "ok"]
    fine = [f"OK:{counted(len(whole), 'stream')} as the catalogue says"] if whole else []
    figures = " ".join(_figures(report, is_alone=is_alone))
    line = " ".join([report.severity.name, name, *told, *fine])
    return f"{line} | {figures}" if figures else line


def _told(result: Result, severity: Severity) -> str:
    return f"{_WORDS[severity]}:{_safe(f'{result.name} {result.text}')}"


def _safe(text: str) -> str:
    """A bar would begin the figures."""
    return printable(text).replace("|", "/")


def _figures(report: Report, *, is_alone: bool) -> Iterator[str]:
    for stream in report.streams:
        yield from _of_stream(stream, "" if is_alone else f"{stream.spec.name}.")
    for consumer in report.consumers:
        yield from _of_consumer(consumer, f"{consumer.spec.name if is_alone else consumer.spec.label}.")


def _of_stream(stream: StreamHealth, before: str) -> Iterator[str]:
    if (info := stream.info) is None:
        return
    used, limits = stream.thresholds.used, info.config
    yield _figure(f"{before}messages", info.messages, _share_of(used, limits["max_msgs"]))
    yield _figure(f"{before}bytes", info.bytes, _share_of(used, limits["max_bytes"]), "B")
    yield _figure(f"{before}subjects", info.subjects)
    yield _figure(f"{before}consumers", info.consumers)


def _of_consumer(consumer: ConsumerHealth, before: str) -> Iterator[str]:
    if (info := consumer.info) is None:
        return
    thresholds = consumer.thresholds
    yield _figure(f"{before}ack_pending", info.unacknowledged, thresholds.unacknowledged)
    yield _figure(f"{before}pull_waiting", info.waiting)
    yield _figure(f"{before}pending", info.pending, thresholds.lag)
    yield _figure(f"{before}redelivered", info.redelivered, thresholds.redelivered)


def _share_of(used: Levels, limit: int) -> Levels:
    """Percents of a limit, in its own unit; none where there is no limit."""
    levels = (used.warning, used.critical)
    return Levels(*(level * limit / 100 if level is not None and limit > 0 else None for level in levels))


def _figure(label: str, value: int, levels: Levels | None = None, unit: str = "") -> str:
    """A label with a blank or a quotation mark is not possible: no name has the one, and the other is replaced."""
    name = printable(label).replace("'", "_").replace("=", "_").replace("|", "/")
    ends = (
        [f"{level:.0f}" if level is not None else "" for level in (levels.warning, levels.critical)] if levels else []
    )
    return ";".join([f"{name}={value}{unit}", *ends]).rstrip(";")

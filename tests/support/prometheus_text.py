"""What Prometheus would read out of a text of metrics, by its own client library's parser."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families


def read(text: str) -> dict[str, float]:
    """The value of each series, by name and values of its labels in their order: ``streams_stream_bytes ORDERS``."""
    samples = (sample for family in text_string_to_metric_families(text) for sample in family.samples)
    return {" ".join((sample.name, *sample.labels.values())): sample.value for sample in samples}

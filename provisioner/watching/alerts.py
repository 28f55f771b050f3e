"""The alert rules of a catalogue: one group a stream, with its consumers, and one of the server. Pure.

What a stream's figures are compared with is what ``streams status`` compares them with.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import yaml

from provisioner.catalogue.model import Catalogue
from provisioner.schema.consumer_model import by_stream
from provisioner.watching.consumer_alerts import consumer_rules
from provisioner.watching.rule import Group, Rule
from provisioner.watching.server_alerts import SERVER
from provisioner.watching.stream_alerts import stream_rules

_HEADER: Final = "# Alert rules of the catalogue {file}, for Prometheus; written by: streams alerts\n\n"
_ENDLESS: Final = 2**31 - 1


def groups_of(catalogue: Catalogue) -> Iterator[Group]:
    """The group of the server, then one for each stream, in the catalogue's order."""
    yield SERVER
    consumers = by_stream(catalogue.consumers)
    for spec in catalogue.streams:
        rules = [*_labelled(stream_rules(spec), stream=spec.name)]
        for each in consumers.get(spec.name, ()):
            rules += _labelled(consumer_rules(each), stream=spec.name, consumer=each.name)
        yield Group(f"stream {spec.name}", tuple(rules))


def _labelled(rules: Iterator[Rule], **labels: str) -> Iterator[Rule]:
    """The series have these labels too; in the rule they tell it from that of the next stream."""
    return (replace(rule, labels={**labels, **rule.labels}) for rule in rules)


def rules_text(catalogue: Catalogue, file: str) -> str:
    """The file of rules, in YAML; ``file`` is what it says it was made from."""
    groups = [group.plain() for group in groups_of(catalogue)]
    body = yaml.safe_dump({"groups": groups}, sort_keys=False, allow_unicode=True, width=_ENDLESS)
    return _HEADER.format(file=file) + body

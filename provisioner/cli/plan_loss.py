"""``streams plan-loss``: what a catalogue would cost in stored messages, before any run."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from provisioner.catalogue.model import Catalogue
from provisioner.catalogue.reader import load
from provisioner.cli.parser import default_catalogue
from provisioner.cli.server import connected
from provisioner.cli.tables import print_table, table
from provisioner.errors import ProvisionerError
from provisioner.jetstream.client import JetStream
from provisioner.log import tell
from provisioner.plan.diff import plan
from provisioner.plan.held import held
from provisioner.plan.message_loss import Loss, forecast
from provisioner.reconcile.loss_approval import StreamCounter
from provisioner.rules.stream_names import unmanaged
from provisioner.schema.model import StreamInfo
from provisioner.schema.stores import kind_of
from provisioner.text import approximate_size

NOTHING, SOMETHING, UNKNOWN = 0, 1, 2


def run(options: argparse.Namespace) -> int:
    """Print a row for each stream that would lose messages; 0 for none, 1 for some, 2 where nobody can tell."""
    file: Path = options.catalogue or default_catalogue()
    try:
        catalogue = load(file, options.replicas)
        with connected(options.url) as client:
            infos = client.streams()
            losses = [*_losses(client, catalogue, infos)]
    except ProvisionerError as error:
        tell(str(error))
        return UNKNOWN
    leaving = [*_leaving(catalogue, infos)]
    _show(losses, leaving)
    return SOMETHING if losses or leaving else NOTHING


def _losses(client: JetStream, catalogue: Catalogue, infos: Mapping[str, StreamInfo]) -> Iterator[Loss]:
    for spec in catalogue.streams:
        if info := infos.get(spec.name):
            planned = plan(info.config, spec.config)
            loss = forecast(info, spec.config, planned, StreamCounter(client, spec.name))
            if loss or loss.soon:
                yield loss


def _leaving(catalogue: Catalogue, infos: Mapping[str, StreamInfo]) -> Iterator[StreamInfo]:
    """Streams with messages that the catalogue does not have; buckets are somebody else's where it has none."""
    others = unmanaged(infos, (name for spec in catalogue.streams for name in (spec.name, spec.renamed_from)))
    kinds = {None, *(kind_of(spec.name) for spec in catalogue.streams)}
    return (infos[each.stream] for each in others if kind_of(each.stream) in kinds and infos[each.stream].messages)


def _show(losses: Iterable[Loss], leaving: Iterable[StreamInfo]) -> None:
    rows = table("Stream", "Change", "Messages lost", "Holds")
    for loss in losses:
        changes = ", ".join(map(str, loss.changes)) + (" (a new stream)" if loss.replaces else "")
        rows.add_row(str(loss.live.config["name"]), changes, _count(loss), _holds(loss.live))
    for info in leaving:
        rows.add_row(str(info.config["name"]), "not in the catalogue", "all, if the stack manages it", _holds(info))
    print_table(rows, empty="no stored message would be deleted")


def _count(loss: Loss) -> str:
    return f"{loss.messages}, and {loss.soon:,} more within the hour" if loss.soon else str(loss.messages)


def _holds(info: StreamInfo) -> str:
    return f"{held(info)}, {approximate_size(info.bytes)}"

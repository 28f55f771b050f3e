"""``streams drift``: whether the server is as the catalogue says, for whoever asks every night."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from provisioner.backup.carry_folder import waiting_copies
from provisioner.catalogue.model import Catalogue
from provisioner.catalogue.reader import load
from provisioner.cli.parser import default_catalogue
from provisioner.errors import ProvisionerError
from provisioner.jetstream.address import servers
from provisioner.jetstream.target import Target, target
from provisioner.log import tell
from provisioner.schema.consumer_model import by_stream
from provisioner.status.consumers import examine_consumers
from provisioner.status.drift import CLEAN, DRIFT, UNKNOWN, Drift, drift_of, plain_drift, unmanaged_drift
from provisioner.status.last_up import created_by_last_up
from provisioner.status.listing import listed
from provisioner.status.stream_checks import examine
from provisioner.text import counted, printable


def run(options: argparse.Namespace) -> int:
    """Print what differs; 0 for nothing, 1 for something, 2 where it cannot be told."""
    try:
        catalogue = load(options.catalogue or default_catalogue(), options.replicas)
        server = target(options.url, "", os.environ)
        found = _drift(catalogue, server, options.state, is_about_others=options.unmanaged)
    except ProvisionerError as error:
        if options.json:
            _print({"exit_code": UNKNOWN, "error": str(error), "server": None, "compared": None, "drift": []})
        else:
            tell(str(error))
        return UNKNOWN
    code = DRIFT if found else CLEAN
    compared = {"streams": len(catalogue.streams), "consumers": len(catalogue.consumers)}
    if options.json:
        drift = [*map(plain_drift, found)]
        _print({"exit_code": code, "error": None, "server": servers(server.url), "compared": compared, "drift": drift})
    else:
        _show(found, compared)
    return code


def _drift(catalogue: Catalogue, server: Target, state: Path | None, *, is_about_others: bool) -> tuple[Drift, ...]:
    created = created_by_last_up(state) if state else {}
    names = [spec.name for spec in catalogue.streams]
    needed = {name: [spec.name for spec in specs] for name, specs in by_stream(catalogue.consumers).items()}
    listing = listed(server, {**dict.fromkeys(names, ()), **needed} if is_about_others else needed)
    streams = examine(catalogue.streams, listing, {name: waiting_copies(name) for name in names})
    consumers = examine_consumers(catalogue.consumers, listing, catalogue.streams)
    others = unmanaged_drift(catalogue, listing) if is_about_others else ()
    return (*drift_of(streams, consumers, created), *others)


def _print(plain: dict[str, Any]) -> None:
    print(json.dumps(plain, indent=2, ensure_ascii=False))


def _show(found: Sequence[Drift], compared: dict[str, int]) -> None:
    width = max((len(f"{each.kind} {each.label}") for each in found), default=0)
    for each in found:
        for line in each.lines:
            print(f"{printable(f'{each.kind} {each.label}'):<{width}}  {printable(line)}")
    told = " and ".join(counted(number, kind.removesuffix("s")) for kind, number in compared.items())
    print(f"{counted(len(found), 'difference')}: " if found else "no drift: ", told, " compared", sep="")

"""``streams smoke``: follow a message over every hop of the services' flow."""

from __future__ import annotations

import argparse
import json
import os
import signal
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Final

from rich.console import Console

from provisioner.catalogue.files import read_text
from provisioner.catalogue.model import Catalogue
from provisioner.catalogue.reader import load
from provisioner.cli.parser import default_catalogue
from provisioner.cli.server import CONNECT_TIMEOUT_S
from provisioner.errors import ProvisionerError
from provisioner.flow.double import Double
from provisioner.flow.hops import Hop, hops
from provisioner.flow.logins import Logins
from provisioner.flow.table import table
from provisioner.flow.walk import Result, ask_all, doubled, problems, walk
from provisioner.jetstream.target import Credentials, target
from provisioner.schema.config import with_fields
from provisioner.schema.model import StreamSpec
from provisioner.services.handing_out import credentials_of
from provisioner.services.reader import read
from provisioner.status.render import console
from provisioner.text import counted

# What `make smoke` hands over: what each identity logs in with, as JSON. Secrets never go on a command line.
IDENTITIES: Final = "STREAMS_IDENTITIES"


def run(options: argparse.Namespace) -> int:
    """Print the path with its latencies; 1 if a hop did not do its part."""
    signal.signal(signal.SIGTERM, _interrupt)
    file = options.catalogue or default_catalogue()
    catalogue = load(file, options.replicas)
    flow = _flow(options.services or Path(file).with_name("services.yaml"), catalogue)
    server = target(options.url, "", os.environ)
    with closing(Logins(server.url, server.credentials, _identities(server.credentials), CONNECT_TIMEOUT_S)) as logins:
        results = _results(logins, flow, max(spec.config["num_replicas"] for spec in catalogue.streams))
    return _show(results, console())


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _flow(file: Path, catalogue: Catalogue) -> tuple[Hop, ...]:
    # Whether an account has room for all copies is no matter of who hands what to whom.
    single = replace(catalogue, streams=tuple(_single(spec) for spec in catalogue.streams))
    flow = hops(read(read_text(file), str(file), single), catalogue)
    if not flow:
        raise ProvisionerError(f"{file}: no service publishes what another consumes: there is no flow to follow")
    return flow


def _single(spec: StreamSpec) -> StreamSpec:
    return replace(spec, config=with_fields(spec.config, {"num_replicas": 1}))


def _identities(shared: Credentials) -> dict[str, Credentials]:
    """How each identity logs in; none where everybody may do everything.

    Raises:
        ProvisionerError: the variable is not what `make smoke` hands over.
    """
    try:
        texts: Mapping[str, str] = json.loads(os.environ.get(IDENTITIES) or "{}")
        return {name: credentials_of(name, text, shared) for name, text in texts.items()}
    except (ValueError, AttributeError):
        raise ProvisionerError(f"{IDENTITIES}: is not a JSON object of names and credentials") from None


def _results(logins: Logins, flow: Sequence[Hop], replicas: int) -> list[Result]:
    asked = [*ask_all(logins, flow)]
    try:
        with doubled(Double(logins.manager, replicas)) as double:
            return [*walk(double, asked)]
    except ProvisionerError as error:  # the hops have been asked all the same
        return [replace(result, problem=result.problem or str(error)) for result in asked]


def _show(results: Sequence[Result], output: Console) -> int:
    output.print(table(results))
    output.print()
    failed = problems(results)
    for line in failed:
        output.print(f"CRITICAL  {line}", soft_wrap=True, markup=False, highlight=False)
    went = [result.carried.total for result in results if result.carried]
    verdict = "CRITICAL" if failed else "OK"
    output.print(f"{verdict}: {len(went)} of {counted(len(results), 'hop')}, {sum(went):.0f} ms", highlight=False)
    return 1 if failed else 0

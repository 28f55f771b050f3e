"""A checkout with a stack on an external server, whose state and settings are written by hand."""

from __future__ import annotations

import json
import os
from contextlib import closing
from pathlib import Path
from typing import Any

from provisioner.catalogue import reader
from provisioner.jetstream.client import JetStream
from provisioner.jetstream.target import Credentials
from tests.support.checkout import Checkout, checkout
from tests.support.nats_server import NatsServer


def external_checkout(tmp_path: Path) -> Checkout:
    """A checkout whose stack is called mine, with a catalogue of its own; a pulumi that nobody should ask."""
    programs = tmp_path / "programs"
    programs.mkdir()
    path = f"{programs}:{os.environ['PATH']}"
    made = checkout(tmp_path / "checkout", {"PATH": path, "HOME": str(tmp_path), "PULUMI_CONFIG_PASSPHRASE": ""})
    made.environment["PULUMI_STACK"] = "mine"
    made.write("mine.yaml", "ORDERS: {subjects: [orders]}\n")
    program(programs / "pulumi", '[ "$1" = version ] && echo v3.999.0 || exit 1')
    program(programs / "pulumi-language-python", "true")
    return made


def program(file: Path, text: str) -> None:
    """A shell script."""
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(0o755)


def configure(copy: Checkout, server: NatsServer, **settings: str) -> None:
    """Write the stack's settings."""
    every = {"server": "external", "url": server.url, "catalogue": "mine.yaml", **settings}
    lines = "".join(f"  prediction-streams:{key}: {value}\n" for key, value in every.items())
    (copy.folder / "Pulumi.mine.yaml").write_text(f"config:\n{lines}")


def state_of(server: NatsServer, created: str | None, outputs: dict[str, Any]) -> dict[str, Any]:
    """A state with one stream, as the engine writes it."""
    stream = {"name": "ORDERS", "url": server.url, "created": created}
    resources = [
        {"type": "pulumi:pulumi:Stack", "outputs": {"url": server.url, **outputs}},
        {"type": "pulumi-python:dynamic/jetstream:Stream", "outputs": stream},
    ]
    return {"resources": resources}


def write_state(copy: Checkout, state: dict[str, Any]) -> None:
    """Where Pulumi has it."""
    folder = copy.folder / ".pulumi-state/.pulumi/stacks/prediction-streams"
    folder.mkdir(parents=True)
    (folder / "mine.json").write_text(json.dumps({"version": 3, "checkpoint": {"stack": "mine", "latest": state}}))


def made(copy: Checkout, server: NatsServer, **login: str) -> str:
    """Make the stream that the catalogue has; when it was created."""
    (spec,) = reader.load(copy.folder / "mine.yaml").streams
    with closing(JetStream(server.url, Credentials(**login))) as client:
        client.delete(spec.name)
        return client.create(spec.config).created

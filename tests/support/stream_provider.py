"""Pulumi's calls on the provider of streams, as the engine makes them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pulumi.dynamic import ConfigureRequest
from pulumi.dynamic.config import Config as DynamicConfig

from provisioner.providers import properties as state
from provisioner.providers.stream import StreamProvider
from provisioner.schema.model import Adopt, OnDelete, StreamSpec
from tests.support.configurations import config
from tests.support.nats_server import NatsServer


def provider(**credentials: str) -> StreamProvider:
    """A provider as Pulumi configures it."""
    made = StreamProvider()
    settings = {f"project:{key}": value for key, value in credentials.items()}
    made.configure(ConfigureRequest(DynamicConfig(settings, "project")))
    return made


def props(server: NatsServer | str, name: str = "ORDERS", **fields: Any) -> dict[str, Any]:
    """A stream's inputs, as the program registers them."""
    types = {"adopt": Adopt, "on_delete": OnDelete, "mark_owner": bool}
    policy: dict[str, Any] = {key: type_(fields.pop(key)) for key, type_ in types.items() if key in fields}
    where = {"url": server} if isinstance(server, str) else {"url": server.url, "monitor_url": server.monitor_url}
    given = state.inputs(StreamSpec(config(name, **fields), **policy), OnDelete.GUARD) | where
    return {key: value for key, value in given.items() if value is not None}


def failures(checked: dict[str, Any], olds: dict[str, Any] | None = None, **credentials: str) -> list[str]:
    """What ``check`` has against inputs."""
    return [failure.reason for failure in provider(**credentials).check(olds or {}, checked).failures]


def catalogue(folder: Path, **streams: dict[str, Any]) -> dict[str, str]:
    """What the program passes along of a catalogue."""
    file = folder / "streams.yaml"
    file.write_text(json.dumps(streams))
    return {"catalogue": str(file), "owner": "project/test"}

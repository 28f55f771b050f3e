"""Pulumi's calls on the provider of streams, as the engine makes them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pulumi.dynamic import ConfigureRequest
from pulumi.dynamic.config import Config as DynamicConfig

from provisioner.providers import properties as state
from provisioner.providers.estate import EstateProvider
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
    types = {"adopt": Adopt, "on_delete": OnDelete, "mark_owner": bool, "renamed_from": str}
    policy: dict[str, Any] = {key: type_(fields.pop(key)) for key, type_ in types.items() if key in fields}
    where = {"url": server} if isinstance(server, str) else {"url": server.url, "monitor_url": server.monitor_url}
    given = state.inputs(StreamSpec(config(name, **fields), **policy), OnDelete.GUARD) | where
    return {key: value for key, value in given.items() if value is not None}


def failures(checked: dict[str, Any], olds: dict[str, Any] | None = None, **credentials: str) -> list[str]:
    """What ``check`` has against inputs."""
    return [failure.reason for failure in provider(**credentials).check(olds or {}, checked).failures]


def gate(server: NatsServer | str, streams: Iterable[dict[str, Any]], *, owns_server: bool = False) -> list[str]:
    """What the estate has against a program with these streams, none of which has left it."""
    url = server if isinstance(server, str) else server.url
    monitor = {} if isinstance(server, str) else {"monitor_url": server.monitor_url}
    streams = list(streams)
    policies = {stream["name"]: stream["on_delete"] for stream in streams}
    estate = {"owns_server": owns_server, "url": url, **monitor, "store": url, "removed_with_server": False}
    checked = EstateProvider().check({}, {**estate, "policies": policies, "streams": streams})
    return [failure.reason for failure in checked.failures]

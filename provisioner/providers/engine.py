"""What Pulumi's calls do not say, asked of the engine that makes them: the stack's settings, its state, its program.

Pulumi configures the provider of a refresh, and of a destroy, with the settings of the last up. Once the
program has run, settings that have changed mean another process of the provider, which has read nothing.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Final

import grpc
import pulumi
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc
from pulumi.runtime.settings import get_engine

from provisioner.jetstream.address import servers
from provisioner.jetstream.target import Credentials
from provisioner.providers import consumer_properties
from provisioner.providers.own_login import own_login
from provisioner.providers.properties import data_of
from provisioner.providers.store_properties import of_stream
from provisioner.reconcile.context import this_run
from provisioner.reconcile.run_state import Data
from provisioner.schema.consumer_model import ConsumerSpec
from provisioner.schema.model import OnDelete
from provisioner.schema.stores import BUCKETS, OBJECTS

# A setting of the stack -> what it is of the login.
CREDENTIAL_KEYS: Final = {
    "user": "user",
    "password": "password",
    "token": "token",
    "credentials": "credentials",
    "nkey": "nkey",
    "inboxPrefix": "inbox_prefix",
    "ca": "ca",
    "cert": "cert",
    "key": "key",
}

_COMMAND_TIMEOUT_S: Final = 30.0  # the state may be far away
_ENGINE_TIMEOUT_S: Final = 5.0
_OWN_SERVERS: Final = ("process", "docker")
_STREAM_TYPE: Final = ":Stream"
_STORE_TYPES: Final = {":KeyValue": BUCKETS, ":ObjectStore": OBJECTS}
_CONSUMER_TYPE: Final = ":Consumer"
_IDENTITY_TYPE: Final = ":Identity"
# What has a property ``ca``: the CA's certificates in PEM.
_TRUST_TYPES: Final = (":Authority", ":Estate")
_LOG: Final = logging.getLogger(__name__)


@dataclass(frozen=True)
class StreamState:
    """A stream as the state has it; ``created`` tells it from another of the same name."""

    name: str
    on_delete: OnDelete
    created: str | None
    data: Data


def other_login(owner: str | None, url: str, refused: Credentials) -> Credentials | None:
    """What to try where a login is refused: what this run has seen, and then, with it, ``login_now``."""
    learned = this_run().own_login()
    if learned and learned != refused:
        return learned
    known, stated = learned or Credentials(), login_now(owner, url)
    if stated is None:
        return learned
    return replace(stated, nkey=known.nkey or stated.nkey, inbox_prefix=known.inbox_prefix or stated.inbox_prefix)


def login_now(owner: str | None, url: str) -> Credentials | None:
    """The login in the stack's settings; None where they cannot be read or are about another server.

    Args:
        owner: project and stack.
        url: the server that refuses the login of the last up.
    """
    settings = _settings(owner) if owner else {}
    if owner and settings.get("server") in _OWN_SERVERS:
        return _login_in_state(owner)
    if "".join(settings.get("url", "").split()) != servers(url):  # no server gets the login of another
        return None
    return credentials(settings.get)


def credentials(setting: Callable[[str], Any]) -> Credentials:
    """The login that the stack's settings have; for a server of the stack's own they have none."""
    if setting("server") in _OWN_SERVERS:
        return Credentials()
    return Credentials(**{part: setting(key) for key, part in CREDENTIAL_KEYS.items()})


def _login_in_state(owner: str) -> Credentials | None:
    """The provisioner's key, and whom to trust, as the last checkpoint has them."""
    deployment = _answer(owner, "stack", "export", "--show-secrets").get("deployment") or {}
    login = Credentials()
    for resource in deployment.get("resources") or ():
        outputs = resource.get("outputs") or {}
        if resource["type"].endswith(_IDENTITY_TYPE):
            login = own_login(outputs, _plain(outputs.get("seed"))) or login
        elif resource["type"].endswith(_TRUST_TYPES) and outputs.get("ca"):
            this_run().trust(outputs["ca"])
    login = replace(login, trusted=(this_run().own_login() or login).trusted)
    return None if login == Credentials() else login


def _plain(secret: Any) -> str | None:
    """A secret that is shown: JSON in an object that says that it is one."""
    return json.loads(secret["plaintext"]) if isinstance(secret, dict) and "plaintext" in secret else None


def in_state(owner: str, server: str = "") -> tuple[list[StreamState], list[ConsumerSpec]]:
    """The streams of the last checkpoint, those behind buckets too, and the consumers; none where it cannot be read.

    Args:
        owner: project and stack.
        server: what the program calls the server that is meant; nothing where it has but one.
    """
    found = [*_outputs_in_state(owner, server)]
    streams = [_stream_state(type_, props) for type_, props in found if type_ in {_STREAM_TYPE, *_STORE_TYPES}]
    return streams, [consumer_properties.spec(props) for type_, props in found if type_ == _CONSUMER_TYPE]


def _stream_state(type_: str, props: dict[str, Any]) -> StreamState:
    kind = _STORE_TYPES.get(type_)
    outputs = of_stream(kind, props) if kind else props
    return StreamState(outputs["name"], OnDelete(outputs["on_delete"]), outputs.get("created"), data_of(outputs))


def _outputs_in_state(owner: str, server: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The type and the properties of each resource that is on a server."""
    deployment = _answer(owner, "stack", "export").get("deployment") or {}
    for resource in deployment.get("resources") or ():
        outputs = resource.get("outputs") or {}
        if outputs and (outputs.get("server") or "") == server:
            yield f":{resource['type'].rpartition(':')[2]}", outputs


def announce_program() -> None:
    """Let the providers of this run know that a program runs in it."""
    project, stack = pulumi.get_project(), pulumi.get_stack()
    urn = f"urn:pulumi:{stack}::{project}::pulumi:pulumi:Stack::{project}-{stack}"
    if engine := get_engine():
        engine.SetRootResource(engine_pb2.SetRootResourceRequest(urn=urn), timeout=_ENGINE_TIMEOUT_S)


@cache
def program_runs() -> bool:
    """Whether a program has announced itself: an up, with or without ``--target``; no destroy.

    One answer counts for the process: it is asked when something is deleted, and a program has begun by then.
    """
    if len(sys.argv) != 2:  # noqa: PLR2004 - Pulumi starts a provider with the engine's address
        return False
    try:
        with grpc.insecure_channel(sys.argv[1]) as channel:
            engine = engine_pb2_grpc.EngineStub(channel)
            return bool(engine.GetRootResource(engine_pb2.GetRootResourceRequest(), timeout=_ENGINE_TIMEOUT_S).urn)
    except grpc.RpcError as error:
        _LOG.info("the engine does not say whether a program runs: %s", type(error).__name__)
        return True  # an up asks before it deletes


@cache
def _settings(owner: str) -> dict[str, Any]:
    """The stack's settings without their namespace, secrets in clear."""
    prefix = f"{owner.rpartition('/')[0]}:"
    config = _answer(owner, "config", "--json", "--show-secrets")
    return {key.removeprefix(prefix): entry.get("value") for key, entry in config.items() if key.startswith(prefix)}


def _answer(owner: str, *question: str) -> dict[str, Any]:
    """What pulumi prints about the stack; nothing where it cannot be asked."""
    stack, selected = owner.rpartition("/")[2], os.environ.get("PULUMI_STACK", "")
    name = selected if selected.rpartition("/")[2] == stack else stack  # it may say whose stack of that name
    command = ["pulumi", *question, "--non-interactive", "--stack", name]
    try:
        ran = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=_COMMAND_TIMEOUT_S, check=True
        )
        answer: dict[str, Any] = json.loads(ran.stdout)
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        _LOG.info("pulumi %s: no answer: %s", question[0], type(error).__name__)
        return {}
    return answer

"""The examples of the documents, run as a reader would: `make` and `streams` in a copy of the checkout.

Each document is one story. Its blocks are run in order, each in the situation that its comment names.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import textwrap
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

import nats
import pytest
from nats.js.api import RetentionPolicy, StorageType, StreamConfig

from provisioner.jetstream.client import JetStream
from provisioner.jetstream.target import Credentials
from provisioner.units import parse_duration
from tests.support.checkout import ROOT, Checkout, checkout
from tests.support.documents import Block, blocks, missing

pytestmark = [pytest.mark.engine, pytest.mark.timeout(600)]

_MESSAGE: Final = b'{"symbol": "ACME", "close": 17.25}'
STORIES: Final = ("README.md", "docs/walkthrough.md", "docs/catalogue.md", "docs/settings.md", "docs/operations.md")


@pytest.fixture
def copy(tmp_path: Path, engine: dict[str, str]) -> Iterator[Checkout]:
    """A checkout whose stacks are taken down whatever happens, and of which no server is left running."""
    made = checkout(tmp_path / "checkout", engine)
    try:
        yield made
    finally:
        for state in sorted(made.folder.glob(".pulumi-state/.pulumi/stacks/*/*.json")):
            made.take_down(state.stem)
        left = made.servers()
        for pid in left:
            os.kill(pid, signal.SIGKILL)
        assert [] == left, "servers of the checkout were left running"


@pytest.mark.parametrize("document", STORIES)
def test_the_examples_of(document: str, copy: Checkout) -> None:
    """What the document says is printed is what is printed."""
    if absent := [tool for tool in ("curl", "jq") if tool in _words(document) and not shutil.which(tool)]:
        (pytest.fail if os.environ.get("REQUIRE_ENGINES") else pytest.skip)(f"needs {' and '.join(absent)}")
    for block in blocks(ROOT / document):
        if block.mark.startswith("file: "):
            copy.write(block.mark.removeprefix("file: "), block.text)
        if block.situation:
            SITUATIONS[block.situation](copy)
            if differences := _differences(copy, block):
                pytest.fail("\n".join([f"{document}:{block.line}", *differences]))


def _words(document: str) -> set[str]:
    """The words of all commands."""
    return {
        word for block in blocks(ROOT / document) for command, _expected in block.commands for word in command.split()
    }


def _differences(copy: Checkout, block: Block) -> list[str]:
    if block.language == "python":
        asyncio.run(_service(copy.url, block.text))
        return []
    return [line for command, expected in block.commands for line in _difference(copy, command, expected, block)]


def _difference(copy: Checkout, command: str, expected: list[str], block: Block) -> list[str]:
    _code, actual = copy.run(command)
    lines = missing(expected, actual, any_order=block.any_order)
    return [f"$ {command}", *lines, "... is not in ...", *actual] if lines else []


async def _service(url: str, code: str) -> None:
    """Run a service's lines, which await, with a connection called ``nc``."""
    names = {"StreamConfig": StreamConfig, "StorageType": StorageType, "RetentionPolicy": RetentionPolicy}
    exec(f"async def service(nc):\n{textwrap.indent(code, '    ')}", names)  # noqa: S102 - the document's own code
    connection = await nats.connect(url)
    try:
        await names["service"](connection)
    finally:
        await connection.close()


def _next(_copy: Checkout) -> None:
    """As the block before left it, or nothing but the checkout."""


def _up(copy: Checkout) -> None:
    """A stack that is as the catalogue says."""
    copy.environment["PULUMI_STACK"] = "local"
    copy.succeed("make up")


def _messages(copy: Checkout) -> None:
    """Three messages in MARKET_DATA."""
    with _server(copy) as js:
        for _ in range(3):
            js.connection.request("market.data.ohlcv", _MESSAGE)


def _work_queue(copy: Checkout) -> None:
    """A stack with three messages in EXPLANATIONS, which is to be a work queue."""
    _up(copy)
    with _server(copy) as js:
        for _ in range(3):
            js.connection.request("explanations.request", _MESSAGE)
    explanations = "max_bytes: 2GiB\n  storage: file\n  retention: "
    copy.edit(f"{explanations}limits", f"{explanations}workqueue")


def _drift(copy: Checkout) -> None:
    """Three messages and no older ones; a lower max_age and a deleted stream, behind the stack's back."""
    _up(copy)
    _messages(copy)
    with _server(copy) as js:
        js.request("STREAM.PURGE.EXPLANATIONS")  # an age of two digits would make the table's columns others
        live = js.stream("MARKET_DATA")
        assert live
        js.update({**live.config, "max_age": parse_duration("1d")})
        js.delete("ROUTING")


def _lost(copy: Checkout) -> None:
    """MARKET_DATA deleted behind the stack's back."""
    with _server(copy) as js:
        js.delete("MARKET_DATA")


def _lower(copy: Checkout) -> None:
    """A limit below what is stored, in the catalogue."""
    copy.edit("max_bytes: 10GiB", "max_bytes: 10GiB\n  max_msgs: 1")


def _replicas(copy: Checkout) -> None:
    """What a single server cannot do, in the catalogue."""
    copy.edit("max_msgs: 1", "max_msgs: 1\n  num_replicas: 3")


def _one_replica(copy: Checkout) -> None:
    """The same without it."""
    copy.edit("  num_replicas: 3\n", "")


def _forgotten(copy: Checkout) -> None:
    """A stream with messages that the state does not know."""
    _up(copy)
    _messages(copy)
    urn = "urn:pulumi:local::prediction-streams::pulumi-python:dynamic/jetstream:Stream::MARKET_DATA"
    copy.succeed(f'eval "$(make -s shell-env)" && pulumi state delete --yes --target-dependents {urn}')


def _two_stacks(copy: Checkout) -> None:
    """Two stacks are up, and the shell names neither."""
    del copy.environment["PULUMI_STACK"]


def _server(copy: Checkout) -> closing[JetStream]:
    return closing(JetStream(copy.url, Credentials()))


SITUATIONS: Final[dict[str, Callable[[Checkout], None]]] = {
    situation.__name__[1:].replace("_", " "): situation
    for situation in (
        _next,
        _up,
        _messages,
        _work_queue,
        _drift,
        _lost,
        _lower,
        _replicas,
        _one_replica,
        _forgotten,
        _two_stacks,
    )
}

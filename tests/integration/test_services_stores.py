"""Services under the permissions of their buckets and object stores: nats-py works, and the server denies all else."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import nats
import pytest
from nats.js import JetStreamContext
from nats.js.errors import NotFoundError

from provisioner.catalogue.reader import parse
from tests.integration.test_services_matrix import API, CONSUMER_API, STREAM_API
from tests.support.nats_lines import nats_lines
from tests.support.raw_nats import raw_client
from tests.support.services import Guarded, guarded

CATALOGUE = parse(
    """
ORDERS: {subjects: [orders]}
buckets:
  A: {history: 3, allow_msg_ttl: true}
  MARKED: {ttl: 1h, limit_marker_ttl: 1m, allow_msg_ttl: true, allow_direct: false}
  OLD: {allow_direct: false, allow_msg_ttl: true}
  OTHER:
objects:
  F:
  G:
""",
    "c.yaml",
)
SERVICES = """
services:
  reader: {reads: [A, OLD]}
  writer: {writes: [A]}
  watcher: {watches: [A]}
  owner: {creates: [OLD, MARKED, F], reads: [A, MARKED], writes: [A, MARKED], watches: [A, MARKED]}
  some: {reads: [{bucket: A, keys: [user.>]}], writes: [{bucket: A, keys: [user.*, x]}],
         watches: [{bucket: A, keys: [user.>]}]}
  loader: {reads: [F]}
  maker: {reads: [F], writes: [F]}
"""
EVERYBODY = ("reader", "writer", "watcher", "owner", "some", "loader", "maker")
STREAMS = tuple(spec.name for spec in CATALOGUE.streams)
KEYS = ("x", "y", "user", "user.a", "user.a.b")

OPEN = r"\$JS\.API\.STREAM\.INFO\."
WATCH = (
    r"\$JS\.API\.CONSUMER\.(INFO|DELETE)\.%s\.[^.]+",
    r"\$JS\.FC\.(_\.szMpdrwD\.)?%s\..+",
    r"\$JS\.API\.CONSUMER\.CREATE\.%s(\..+)?",
)
OBJECTS = (r"\$JS\.API\.STREAM\.MSG\.GET\.OBJ_F", r"\$JS\.API\.DIRECT\.GET\.OBJ_F\.\$O\.F\.M\..+", OPEN + "OBJ_F")
# What each may publish to, said once more.
EXPECTED: dict[str, tuple[str, ...]] = {
    "reader": (
        OPEN + r"KV_(A|OLD)",
        r"\$JS\.API\.DIRECT\.GET\.KV_A(\.\$KV\.A\..+)?",
        r"\$JS\.API\.STREAM\.MSG\.GET\.KV_OLD",
    ),
    "writer": (OPEN + "KV_A", r"\$KV\.A\..+"),
    "watcher": (OPEN + "KV_A", *(line % "KV_A" for line in WATCH)),
    "owner": (
        r"\$JS\.API\.INFO",
        r"\$JS\.API\.STREAM\.CREATE\.(KV_OLD|KV_MARKED|OBJ_F)",
        OPEN + r"(KV_A|KV_OLD|KV_MARKED|OBJ_F)",
        r"\$JS\.API\.DIRECT\.GET\.KV_A(\.\$KV\.A\..+)?",
        r"\$JS\.API\.STREAM\.MSG\.GET\.KV_MARKED",
        r"\$KV\.(A|MARKED)\..+",
        *(line % "(KV_A|KV_MARKED)" for line in WATCH),
    ),
    "some": (
        OPEN + "KV_A",
        r"\$JS\.API\.DIRECT\.GET\.KV_A\.\$KV\.A\.user\..+",
        r"\$KV\.A\.(user\.[^.]+|x)",
        *(line % "KV_A" for line in WATCH[:2]),
        r"\$JS\.API\.CONSUMER\.CREATE\.KV_A\.[^.]+\.\$KV\.A\.user\..+",
    ),
    "loader": (r"\$JS\.API\.STREAM\.NAMES", *OBJECTS, *(line % "OBJ_F" for line in WATCH)),
    "maker": (
        r"\$JS\.API\.STREAM\.NAMES",
        r"\$JS\.API\.STREAM\.PURGE\.OBJ_F",
        r"\$O\.F\.[CM]\..+",
        *OBJECTS,
        *(line % "OBJ_F" for line in WATCH),
    ),
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    """A server that has what the catalogue says, but what services make."""
    with _started(tmp_path_factory.mktemp("nats")) as started:
        yield started


@pytest.fixture(scope="module")
def tried(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    """Another, into whose buckets and object stores everybody puts nonsense."""
    with _started(tmp_path_factory.mktemp("nats")) as started:
        yield started


@contextmanager
def _started(folder: Path) -> Iterator[Guarded]:
    with guarded(folder, SERVICES, catalogue=CATALOGUE) as started:
        with started.jetstream() as client:
            for spec in CATALOGUE.streams:
                if spec.name not in {"KV_OLD", "KV_MARKED", "OBJ_F"}:
                    client.create(spec.config)
        as_service(started, "owner", make)
        yield started


async def make(js: JetStreamContext) -> None:
    """What a service makes when it starts, with nats-py's own words for the catalogue's settings."""
    await js.create_key_value(bucket="OLD")
    await js.create_key_value(bucket="MARKED", ttl=3600, limit_marker_ttl=60)
    await js.create_object_store("F")


def as_service(server: Guarded, name: str, work: Callable[[JetStreamContext], Awaitable[Any]]) -> Any:
    """The result of some work on a service's connection, on which no denial and no other error may arrive."""

    async def connected() -> Any:
        async with connection(server, name) as js:
            return await work(js)

    return asyncio.run(connected())


@asynccontextmanager
async def connection(server: Guarded, name: str) -> AsyncIterator[JetStreamContext]:
    """A service's connection."""
    errors: list[Exception] = []

    async def note(error: Exception) -> None:
        errors.append(error)

    client = await nats.connect(server.server.url, error_cb=note, **server.login(name))
    try:
        yield client.jetstream()
        await client.flush()
    finally:
        await client.close()
    assert [] == errors


def test_keys(server: Guarded) -> None:
    """What one puts, deletes and purges another gets, by revision too, and a third watches and lists."""

    async def write(js: JetStreamContext) -> list[int]:
        bucket = await js.key_value("A")
        revisions = [await bucket.put("a.b", value) for value in (b"1", b"2")]
        revisions += [await bucket.create("c", b"3"), await bucket.update("c", b"4", last=revisions[-1] + 1)]
        await bucket.put("gone", b"5")
        await bucket.delete("gone")
        await bucket.purge("gone")
        return revisions

    async def read(js: JetStreamContext) -> list[bytes | None]:
        bucket = await js.key_value("A")
        return [(await bucket.get("a.b")).value, (await bucket.get("a.b", revisions[0])).value]

    async def watch(js: JetStreamContext) -> tuple[list[str], list[bytes | None], list[str]]:
        bucket = await js.key_value("A")
        watcher: Any = await bucket.watch("a.>")
        seen = list[str]()
        while (entry := await watcher.updates()) is not None:
            seen.append(entry.key)
        await watcher.stop()
        keys = [key for key in await bucket.keys() if key in {"a.b", "c", "gone"}]
        return keys, [entry.value for entry in await bucket.history("a.b")], seen

    revisions = as_service(server, "writer", write)
    assert [b"2", b"1"] == as_service(server, "reader", read)
    assert (["a.b", "c"], [b"1", b"2"], ["a.b"]) == as_service(server, "watcher", watch)


def test_everything_of_a_bucket(server: Guarded) -> None:
    """Who reads and writes also makes a key again that was deleted; direct gets or not."""

    async def work(js: JetStreamContext) -> list[bytes | None]:
        values = []
        for name in ("A", "MARKED"):
            bucket = await js.key_value(name)
            await bucket.put("again", b"1")
            await bucket.delete("again")
            await bucket.create("again", b"2", msg_ttl=60)
            values.append((await bucket.get("again")).value)
        return values

    assert [b"2", b"2"] == as_service(server, "owner", work)


def test_some_keys(server: Guarded) -> None:
    """A service that is confined to some keys puts and gets these; nats.go's request watches them."""

    async def work(js: JetStreamContext) -> bytes | None:
        bucket = await js.key_value("A")
        await bucket.put("user.one", b"1")
        return (await bucket.get("user.one")).value

    assert b"1" == as_service(server, "some", work)
    with raw_client(server.server.url, **server.login("some")) as client:
        config = {
            "name": "n",
            "deliver_subject": "_INBOX_some.x",
            "filter_subject": "$KV.A.user.>",
            "ack_policy": "none",
        }
        client.ask("CONSUMER.CREATE.KV_A.n.$KV.A.user.>", {"stream_name": "KV_A", "config": config})
        client.ask("CONSUMER.DELETE.KV_A.n")


def test_objects(server: Guarded) -> None:
    """What one puts, replaces and deletes another gets, lists and finds gone."""

    async def write(js: JetStreamContext) -> None:
        store = await js.object_store("F")
        for name, content in (("one", b"1" * 300_000), ("one", b"2" * 300_000), ("two", b"3")):
            await store.put(name, content)
        await store.delete("two")

    async def read(js: JetStreamContext) -> tuple[bytes | None, list[str | None]]:
        store = await js.object_store("F")
        with pytest.raises(NotFoundError):
            await store.get("two")
        return (await store.get("one")).data, [info.name for info in await store.list(ignore_deletes=True)]

    as_service(server, "maker", write)
    assert (b"2" * 300_000, ["one"]) == as_service(server, "loader", read)


def published() -> Iterator[str]:
    """Each subject that somebody may try to publish to."""
    yield from (f"$JS.API.{request}" for request in API)
    yield from ("orders", "$KV.>", "$O.>", "$JS.API.>")
    yield from (f"$KV.{name}.{key}" for name in ("A", "OLD", "MARKED", "OTHER") for key in (*KEYS, "user.*", "user.>"))
    yield from (f"$O.{name}.{kind}.n" for name in ("F", "G") for kind in "CM")
    for stream in STREAMS:
        yield from (f"$JS.API.{request}.{stream}" for request in STREAM_API)
        yield from (f"$JS.API.{request}.{stream}.n" for request in CONSUMER_API)
        for subject in (*(f"$KV.A.{key}" for key in (*KEYS, ">", "*")), "$KV.OTHER.x", "$O.F.M.n", "$O.F.C.n", ">"):
            yield f"$JS.API.DIRECT.GET.{stream}.{subject}"
            yield f"$JS.API.CONSUMER.CREATE.{stream}.n.{subject}"
        for kind in ("ACK", "FC"):
            yield from (
                f"$JS.{kind}.{stream}.n.1",
                f"$JS.{kind}._.szMpdrwD.{stream}.n.1",
                f"$JS.{kind}._.x.{stream}.n.1",
            )


@pytest.mark.parametrize("who", EVERYBODY)
def test_nothing_more(tried: Guarded, who: str) -> None:
    """The server denies exactly what the roles do not imply; every request of the API is tried on every stream."""
    subjects = sorted({*published()})
    with nats_lines(tried.server.url, tried.keys[who]) as client:
        denied = client.denied_publishing(subjects)
        closed = client.denied_subscribing(("$KV.>", "$KV.A.>", "$O.>", "_INBOX.>", ">", f"_INBOX_{who}.>"))
    allowed = [subject for subject in subjects if any(re.fullmatch(line, subject) for line in EXPECTED[who])]
    assert len(allowed) > 3
    assert {*subjects} - {*allowed} == denied
    assert {"$KV.>", "$KV.A.>", "$O.>", "_INBOX.>", ">"} == closed

"""Every identity of the services' file, every subject, every request of JetStream's API: who may do what, by a server.

What is expected is said here once more, from the file's plain YAML and in other words than those of the program.
"""

from __future__ import annotations

import hashlib
import re
import string
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import yaml

from tests.support.nats_lines import nats_lines
from tests.support.services import SERVICES, STREAMS, Guarded, guarded

CATALOGUE: Mapping[str, Any] = yaml.safe_load(STREAMS.read_text())
FILE: Mapping[str, Any] = yaml.safe_load(SERVICES.read_text())
ROLES: Mapping[str, Any] = FILE["services"] | {"provisioner": {}, "monitoring": {}}
STRANGER = "stranger"
# The stream of the smoke test, which is there while one runs.
SMOKE = "_SMOKE"
# What the server calls the account: with .creds the hash of its name that docs/services.md has.
ACCOUNTS = {
    "nkey": "PREDICTION_SYSTEM",
    "creds": "ABKE75WOFBYNSGE67RM7CGSF2K7HR64UILIPS3WGUMXRAXS3YBWDHTPH",
}
CAPTURED = [subject for stream in CATALOGUE.values() for subject in stream["subjects"]]

# Every subject that nats-server 2.15.1 answers on: its own list, and more of what has a stream or a consumer in it.
API = (
    "INFO",
    "ACCOUNT.PURGE.X",
    "ACCOUNT.STREAM.MOVE.X.S",
    "META.LEADER.STEPDOWN",
    "META.RESCUE",
    "SERVER.REMOVE",
    "SERVER.EVACUATE",
    "STREAM.NAMES",
    "STREAM.LIST",
    "STREAM.CANCEL",
)
STREAM_API = (
    "STREAM.CREATE",
    "STREAM.UPDATE",
    "STREAM.INFO",
    "STREAM.DELETE",
    "STREAM.PURGE",
    "STREAM.SNAPSHOT",
    "STREAM.RESTORE",
    "STREAM.MSG.GET",
    "STREAM.MSG.DELETE",
    "STREAM.PEER.REMOVE",
    "STREAM.PEER.EVACUATE",
    "STREAM.LEADER.STEPDOWN",
    "DIRECT.GET",
    "CONSUMER.NAMES",
    "CONSUMER.LIST",
    "CONSUMER.CREATE",
)
CONSUMER_API = (
    "CONSUMER.CREATE",
    "CONSUMER.DURABLE.CREATE",
    "CONSUMER.INFO",
    "CONSUMER.DELETE",
    "CONSUMER.PAUSE",
    "CONSUMER.RESET",
    "CONSUMER.UNPIN",
    "CONSUMER.MSG.NEXT",
    "CONSUMER.LEADER.STEPDOWN",
    "CONSUMER.PEER.REMOVE",
    "CONSUMER.PEER.EVACUATE",
)


BUILT_IN = {
    "provisioner": (
        r"\$JS\.API\.(INFO|STREAM\.LIST)",
        r"\$JS\.API\.STREAM\.(CREATE|UPDATE|INFO|DELETE|SNAPSHOT|RESTORE|MSG\.GET)\.[^.]+",
        r"\$JS\.API\.CONSUMER\.LIST\.[^.]+",
        r"\$JS\.API\.CONSUMER\.(INFO|DELETE|PAUSE|RESET)\.[^.]+\.[^.]+",
        r"\$JS\.API\.CONSUMER\.CREATE\.[^.]+\..+",
        r"\$JS\.SNAPSHOT\.(ACK|RESTORE)\..+",
        r"\$JS\.API\.CONSUMER\.MSG\.NEXT\._SMOKE\.[^.]+",
    ),
    "monitoring": (
        r"\$JS\.API\.(INFO|STREAM\.LIST|STREAM\.NAMES)",
        r"\$JS\.API\.(STREAM\.INFO|CONSUMER\.LIST|CONSUMER\.NAMES)\.[^.]+",
        r"\$JS\.API\.CONSUMER\.INFO\.[^.]+\.[^.]+",
    ),
}


def published() -> Iterator[str]:
    """Each subject that somebody may try to publish to."""
    yield from (subject.replace("*", "x") for subject in CAPTURED)
    yield from (f"{subject.rpartition('.')[0]}.other.one" for subject in CAPTURED)
    yield from ("market.data", "market.data.other", "routing.other", "predictions.other.x", "elsewhere", *CAPTURED)
    yield from (f"{SMOKE}.x", f"{SMOKE}.market.data.ohlcv")
    yield from (
        "market.data.*",
        "routing.>",
        ">",
        "*.>",
        "$SYS.REQ.SERVER.PING",
        "$SYS.REQ.USER.INFO",
        "$JSC.X",
        "$NRG.X",
    )
    yield from (f"_INBOX{suffix}.x.y" for suffix in ("", *(f"_{name}" for name in ROLES)))
    yield from (f"$JS.API.{request}" for request in API)
    for stream in (*CATALOGUE, STRANGER, SMOKE):
        yield from (f"$JS.API.{request}.{stream}" for request in STREAM_API)
        yield f"$JS.API.DIRECT.GET.{stream}.{CAPTURED[0]}"
        yield from (f"$JS.EVENT.ADVISORY.STREAM.DELETED.{stream}", f"$JS.SNAPSHOT.RESTORE.{stream}.a")
        yield f"$JS.SNAPSHOT.ACK.{stream}.a.1.1"
        for consumer in (*ROLES, STRANGER):
            yield from of_consumer(stream, consumer)


def of_consumer(stream: str, consumer: str) -> Iterator[str]:
    """Each subject that has a consumer in it."""
    yield from (f"$JS.API.{request}.{stream}.{consumer}" for request in CONSUMER_API)
    filters = CATALOGUE[stream]["subjects"] if stream in CATALOGUE else ["x"]
    yield from (f"$JS.API.CONSUMER.CREATE.{stream}.{consumer}.{subject}" for subject in (*filters, "other", ">"))
    for kind, rest in (("ACK", "1.2.3.4.5"), ("FC", "a")):
        yield f"$JS.{kind}.{stream}.{consumer}.{rest}"
        for account in (*ACCOUNTS.values(), "$G"):
            yield f"$JS.{kind}._.{shortened(account)}.{stream}.{consumer}.{rest}"
        yield f"$JS.{kind}.hub.{shortened(ACCOUNTS['nkey'])}.{stream}.{consumer}.{rest}"


def subscribed() -> Iterator[str]:
    """Each subject that somebody may try to subscribe to."""
    yield from (">", "*", "*.>", "*.*.>", "_INBOX.>", "_INBOX.x.*", "$JS.>", "$JS.API.>", "$JS.ACK.>", "$JS.EVENT.>")
    yield from ("$JS.FC.>", "$JS.SNAPSHOT.>", "$SYS.>", "$SYS.ACCOUNT.>", "market.>", *CAPTURED)
    for name in ROLES:
        yield from (f"_INBOX_{name}", f"_INBOX_{name}.>", f"_INBOX_{name}.*", f"_INBOX_{name}.x.y")
    yield from (f"_INBOX_{name}x.>" for name in ROLES)


def may_publish(who: str, subject: str, login: str = "nkey") -> bool:
    """Whether one of somebody's lines is about this subject; a stream has to capture what is no request."""
    if subject.startswith("$"):
        return any(re.fullmatch(line, subject) for line in requests(who, ACCOUNTS[login]))
    if subject.startswith(f"{SMOKE}."):
        return who == "provisioner"
    mine = any(matches(pattern, subject) for pattern in ROLES[who].get("publishes", ()))
    return mine and any(matches(pattern, subject) for pattern in CAPTURED)


def requests(who: str, account: str) -> Iterator[str]:
    """What the file's roles mean, a line each."""
    yield from BUILT_IN.get(who, ())
    if who == "provisioner":
        yield rf"\$JS\.ACK\.(_\.{shortened(account)}\.)?{SMOKE}\..+"
    for stream in ROLES[who].get("creates", ()):
        yield rf"\$JS\.API\.STREAM\.(CREATE|INFO)\.{stream}"
    for stream, filters in consumed(who).items():
        own, any_filter = rf"{stream}\.{who}", "|".join(map(re.escape, filters))
        yield r"\$JS\.API\.STREAM\.NAMES"
        yield rf"\$JS\.API\.CONSUMER\.(INFO|MSG\.NEXT)\.{own}"
        yield rf"\$JS\.(ACK|FC)\.(_\.{shortened(account)}\.)?{own}\..+"
        yield rf"\$JS\.API\.CONSUMER\.CREATE\.{own}\.({any_filter or '.+'})"
        if not filters:
            yield rf"\$JS\.API\.CONSUMER\.(DURABLE\.)?CREATE\.{own}"


def may_subscribe(who: str, subject: str) -> bool:
    """Inboxes of one's own."""
    return subject.startswith(f"_INBOX_{who}.")


def consumed(who: str) -> dict[str, list[str]]:
    """The streams that somebody consumes, each with the filters that it is confined to."""
    entries: list[dict[str, Any]] = [
        {"stream": entry} if isinstance(entry, str) else entry for entry in ROLES[who].get("consumes", ())
    ]
    return {entry["stream"]: entry.get("subjects", []) for entry in entries}


def matches(pattern: str, subject: str) -> bool:
    """Patterns of this file have wildcards for one token only."""
    pairs = [*zip(pattern.split("."), subject.split("."), strict=False)]
    return pattern.count(".") == subject.count(".") and all(one in ("*", other) for one, other in pairs)


def shortened(account: str) -> str:
    """An account's name in the acknowledgements of a server that has js_ack_fc_v2."""
    digits = string.digits + string.ascii_uppercase + string.ascii_lowercase
    return "".join(digits[byte % 62] for byte in hashlib.sha256(account.encode()).digest()[:8])


@pytest.fixture(scope="module", params=ACCOUNTS)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    """One server with everybody's permissions, and the catalogue's streams, for each way to log in."""
    text = f"login: {request.param}\n{SERVICES.read_text()}"
    with guarded(tmp_path_factory.mktemp("nats"), text) as started, started.jetstream() as client:
        for spec in started.catalogue.streams:
            client.create(spec.config)
        yield started


@pytest.mark.parametrize("who", ROLES)
def test_what_each_may_publish_and_subscribe_to(server: Guarded, who: str) -> None:
    """The server denies exactly what the roles do not imply; every cell is tried."""
    publish, subscribe = sorted({*published()}), sorted({*subscribed()})
    login = "creds" if server.tokens else "nkey"
    with nats_lines(server.server.url, server.keys[who], server.tokens.get(who)) as connection:
        denied = connection.denied_publishing(publish)
        closed = connection.denied_subscribing(subscribe)

    assert {subject for subject in publish if not may_publish(who, subject, login)} == denied
    assert {subject for subject in subscribe if not may_subscribe(who, subject)} == closed


def test_the_matrix_is_one() -> None:
    """More than a thousand cells for each identity, of which everybody may do some."""
    assert len({*published()}) > 1000
    assert not [who for who in ROLES if not any(may_publish(who, subject) for subject in published())]


def test_the_matrix_has_every_identity_and_stream(server: Guarded) -> None:
    """None is left out: those that the server knows, and those of the catalogue."""
    assert server.keys.keys() == ROLES.keys()
    assert list(CATALOGUE) == [spec.name for spec in server.catalogue.streams]


def test_nothing_was_touched(server: Guarded) -> None:
    """After all of it the streams are as they were made, without a consumer."""
    with server.jetstream() as client:
        held = client.streams()
    assert {name: (tuple(stream["subjects"]), 0) for name, stream in CATALOGUE.items()} == {
        name: (tuple(info.config["subjects"]), info.consumers) for name, info in held.items()
    }

"""What a program says wrongly is one line for each mistake, with the resource's name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pulumi
import pytest

from provisioner import ArgumentError, Catalogue, Consumer, KeyValue, ObjectStore, Server, Stream

PASSWORD = "nats://user:hunter2@host:4222"
OPTIONS = pulumi.ResourceOptions


def _server(**said: Any) -> Server:
    return Server("nats://127.0.0.1:4222", gate=False, **said)


def _stream(**said: Any) -> Stream:
    return Stream("ORDERS", server=_server(), **said)


CASES: tuple[tuple[Callable[[], object], str], ...] = (
    (lambda: _stream(subjets=["orders.*"]), "Stream ORDERS: subjets: unknown argument; did you mean subjects?"),
    (
        lambda: _stream(max_age="7 dys", mirror={"nam": "x"}),
        (
            "Stream ORDERS: max_age: '7 dys' is not a duration; write it like 7d, 1h30m or 500ms\n"
            "Stream ORDERS: mirror: needs name\n"
            "Stream ORDERS: mirror.nam: unknown field; did you mean name?"
        ),
    ),
    (lambda: _stream(subjects="orders.*"), "Stream ORDERS: subjects: is not a list; begin each entry with a dash"),
    (lambda: _stream(on_delete="kep"), "Stream ORDERS: on_delete: 'kep' is not one of guard, delete, retain"),
    (
        lambda: _stream(mirror={"name": "A"}, subjects=["b"]),
        "Stream ORDERS: mirror excludes subjects",
    ),
    (
        lambda: Stream("KV_X", server=_server()),
        "Stream KV_X: name KV_ is reserved for key-value buckets; write it as X under buckets, or choose another name",
    ),
    (lambda: Stream("ORDERS"), "Stream ORDERS: missing a required argument: 'server'"),  # type: ignore[call-arg]
    (lambda: KeyValue("a b", server=_server()), "KeyValue a b: bucket is no bucket's name; letters, digits, - and _"),
    (
        lambda: KeyValue("b", history=65, server=_server()),
        "KeyValue b: history: 65 is not between 0 and 64",
    ),
    (lambda: ObjectStore("o", ttl="x", server=_server()), "ObjectStore o: ttl: 'x' is not a duration"),
    (
        lambda: Consumer("c", stream="ORDERS"),
        "Consumer c: server: is missing; a stream that is not the program's needs it",
    ),
    (
        lambda: Consumer("_carry_c", stream="ORDERS", server=_server()),
        "Consumer _carry_c: durable_name _carry_ begins the names of consumers that an up makes for itself",
    ),
    (
        lambda: Catalogue("all", catalogue={"A": {"max_age": "7 dys"}, "B": {"subjets": []}}, server=_server()),
        (
            "Catalogue all: A.max_age: '7 dys' is not a duration; write it like 7d, 1h30m or 500ms\n"
            "Catalogue all: B.subjets: unknown field; did you mean subjects?"
        ),
    ),
    (
        lambda: Catalogue("all", catalogue={"A": {"max_age": object()}}, server=_server()),
        "Catalogue all: Object of type object is not JSON serializable; its values are plain",
    ),
    (
        lambda: Server(PASSWORD),
        "Server server: url: holds credentials; put them in the arguments user and password, or token",
    ),
    (
        lambda: Server("127.0.0.1", monitor_url="http://a:b@host"),
        (
            "Server server: url: '127.0.0.1' is not the URL of a NATS server; write it like nats://host:4222\n"
            "Server server: monitor_url: holds credentials; put them in the server's configuration"
        ),
    ),
    (
        lambda: _server(user="u", token="t", domain="hub", api_prefix="$JS.hub.API"),
        (
            "Server server: user and password: one without the other; give both\n"
            "Server server: user and password, token: more than one way to log in; keep one\n"
            "Server server: domain and api_prefix: both name the API; keep one"
        ),
    ),
    (lambda: _server(on_delete="no"), "Server server: on_delete: 'no' is not one of guard, delete, retain"),
    (lambda: Server(PASSWORD, usr="u"), "Server: usr: unknown argument; did you mean user?"),  # type: ignore[call-arg]
    (
        lambda: _stream(opts=OPTIONS(replace_on_changes=["subjects"], delete_before_replace=False)),
        "Stream ORDERS: replace_on_changes: a provider in Python cannot say which properties changed",
    ),
    (
        lambda: _stream(opts=OPTIONS(delete_before_replace=False)),
        "Stream ORDERS: delete_before_replace: two of one name cannot be there at once; leave it out",
    ),
    (
        lambda: _stream(opts=OPTIONS(import_="OTHER")),
        "Stream ORDERS: import_: 'OTHER' is not its name, 'ORDERS'; write that, or leave import_ out",
    ),
)


@pytest.mark.parametrize(("say", "told"), CASES)
def test_a_mistake_is_told(say: Callable[[], object], told: str) -> None:
    """No traceback: Pulumi prints a RunError as it is. No password is repeated."""
    with pytest.raises(ArgumentError) as error:
        say()
    assert isinstance(error.value, pulumi.RunError)
    assert told == str(error.value)[: len(told)]
    assert "hunter2" not in str(error.value)

"""The acceptance cases of peers for consumers, buckets and object stores, as catalogues of ours.

Their cases, not their code: Terraform's provider (jetstream/resource_*_test.go), NACK (internal/controller/*_test.go).
Of each step what the plan says, and what the server has afterwards.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.support.nats_py import got, made_bucket, put_all
from tests.support.nats_server import NatsServer
from tests.support.provider_stack import Stack
from tests.support.raw_nats import RawClient, RequestError

pytestmark = pytest.mark.usefixtures("own_process", "jetstream")

SECOND = 10**9
Behind = Callable[[NatsServer, RawClient], object]


@dataclass(frozen=True)
class Step:
    """One catalogue.

    Attributes:
        catalogue: its text.
        plan: of each resource what becomes of it; under the empty name how the refusal begins.
        server: fields of streams and consumers as the server has them afterwards; None of what is not there.
        behind: what somebody does before it.
    """

    catalogue: str
    plan: dict[str, str]
    server: dict[str, dict[str, Any] | None] = field(default_factory=dict)
    behind: Behind | None = None


def _asks(subject: str, body: dict[str, Any] | None = None) -> Behind:
    return lambda _server, raw: raw.ask(subject, body)


STREAM = "TEST: {subjects: [TEST.*]%s}"
C1 = """
    C1: {description: %s, inactive_threshold: 1m, max_deliver: 10, backoff: [30s, 1m], max_waiting: 256, max_batch: 1,
         metadata: {foo: %s}}"""
C2 = """
    C2: {deliver_policy: by_start_sequence, opt_start_seq: 10, max_ack_pending: 20, filter_subjects: [TEST.a, TEST.b],
         max_waiting: 10, max_batch: 1}"""
C3 = """
    C3: {deliver_policy: by_start_sequence, opt_start_seq: 10, max_ack_pending: 20, filter_subject: TEST.a,
         deliver_subject: ORDERS.a}"""

FULL = """
    full: {ack_wait: 10ns, backoff: [1s, 5m], deliver_policy: new, filter_subject: time.us.>, max_ack_pending: 6,
           filter_subjects: [time.us.east, time.us.west], headers_only: true, max_deliver: 3, max_batch: 7,
           max_expires: 8s, max_bytes: 1024, max_waiting: 5, mem_storage: true, opt_start_seq: 17,
           num_replicas: 9, sample_freq: 25%, rate_limit_bps: 512}"""


def _test(consumers: str, also: str = "") -> str:
    return f"TEST:\n  subjects: [TEST.*]\n{also}  consumers:{consumers}\n"


LIMITS = "  consumer_limits: {max_ack_pending: 1, inactive_threshold: 1m}\n"
WORK = "orders:\n  retention: workqueue\n  consumers:\n    test-consumer: {description: %s%s}\n"
KV = """
buckets:
  TEST: {ttl: 1m, storage: memory, history: 10, max_value_size: 1KiB, max_bytes: 10KiB, limit_marker_ttl: 45s}
"""
KV_TEST = {"max_age": 60 * SECOND, "max_msgs_per_subject": 10, "max_msg_size": 1024, "max_bytes": 10240,
           "subject_delete_marker_ttl": 45 * SECOND, "storage": "memory"}  # fmt: skip
ORDERS = "buckets:\n  orders: {history: %s, ttl: %s, compression: s2, description: %s%s}\n"
OBJ = "objects:\n  TEST: {ttl: 1m, storage: memory, max_bytes: 10KiB, compression: s2%s}\n"

CASES: dict[str, list[Step]] = {
    "Terraform: a consumer, changed, then others": [
        Step(
            _test(C1 % ("one", "bar")),
            {"TEST": "create", "TEST/C1": "create"},
            {"TEST/C1": {"metadata": {"foo": "bar"}, "inactive_threshold": 60 * SECOND, "max_waiting": 256}},
        ),
        Step(
            _test(C1 % ("two", "baz")),
            {"TEST/C1": "update"},
            {"TEST/C1": {"description": "two", "metadata": {"foo": "baz"}, "backoff": [30 * SECOND, 60 * SECOND]}},
        ),
        Step(
            _test(C2),
            {"TEST/C2": "create", "TEST/C1": "delete"},
            {"TEST/C2": {"opt_start_seq": 10, "filter_subjects": ["TEST.a", "TEST.b"]}, "TEST/C1": None},
        ),
        Step(
            _test(C3),
            {"TEST/C3": "create", "TEST/C2": "delete"},
            {"TEST/C3": {"filter_subject": "TEST.a", "deliver_subject": "ORDERS.a"}, "TEST/C2": None},
        ),
        Step("OTHER:\n", {"OTHER": "create", "TEST": "delete", "TEST/C3": "delete"}, {"TEST": None}),
    ],
    "Terraform: waits beside an ack_wait that is not their first": [
        # In pedantic mode, which Terraform asks for, the server refuses; otherwise it takes the first wait.
        Step(
            _test("\n    C4: {ack_wait: 10s, backoff: [1s, 10s, 20s, 1m], max_deliver: 5}"),
            {"TEST": "create", "TEST/C4": "create"},
            {"TEST/C4": {"ack_wait": SECOND}},
        ),
        Step(_test("\n    C4: {ack_wait: 10s, backoff: [1s, 10s, 20s, 1m], max_deliver: 5}"), {}),
    ],
    "Terraform: a stream's limits for its consumers": [
        Step(
            _test("\n    C5:", LIMITS),
            {"TEST": "create", "TEST/C5": "create"},
            {"TEST/C5": {"max_ack_pending": 1, "inactive_threshold": 60 * SECOND}},
        ),
        Step(_test("\n    C5:", LIMITS), {}),
        Step(
            _test("\n    C5: {max_ack_pending: 2}", LIMITS),
            {"": "streams.yaml:5: TEST.consumers.C5.max_ack_pending: "},
        ),
    ],
    "NACK: a consumer of a work queue": [
        Step(WORK % ("test", ""), {"orders": "create", "orders/test-consumer": "create"},
             {"orders/test-consumer": {"description": "test", "deliver_policy": "all", "replay_policy": "instant"}}),
        Step(WORK % ("new", ""), {"orders/test-consumer": "update"},
             {"orders/test-consumer": {"description": "new", "replay_policy": "instant"}}),
        Step(WORK % ("new", ""), {"orders/test-consumer": "update"}, {"orders/test-consumer": {"description": "new"}},
             behind=_asks("CONSUMER.DELETE.orders.test-consumer")),
        Step(WORK % ("new", ", deliver_policy: new"), {"": "streams.yaml:4: orders.consumers.test-consumer."}),
    ],
    "NACK: every field of a consumer at once": [
        Step(
            _test(FULL),
            {"": "streams.yaml:5: TEST.consumers.full.filter_subjects: excludes filter_subject"},
        ),
    ],
    "NACK: a consumer whose stream is gone": [
        Step(_test("\n    C:"), {"TEST": "create", "TEST/C": "create"}),
        Step(_test("\n    C:"), {"TEST": "update", "TEST/C": "update"}, {"TEST/C": {"durable_name": "C"}},
             behind=_asks("STREAM.DELETE.TEST")),
    ],
    "Terraform: a bucket, deleted by somebody": [
        Step(KV, {"KV_TEST": "create"}, {"KV_TEST": KV_TEST}),
        Step(KV, {}),
        Step(KV, {"KV_TEST": "update"}, {"KV_TEST": KV_TEST}, behind=_asks("STREAM.DELETE.KV_TEST")),
        Step("OTHER:\n", {"OTHER": "create", "KV_TEST": "delete"}, {"KV_TEST": None}),
    ],
    "Terraform: an entry": [
        # Entries are the services' own: a first value is made once, and neither changed nor made again.
        Step("buckets:\n  TEST: {history: 10, seed: {foo: bar}}\n", {"KV_TEST": "create"}),
        Step("buckets:\n  TEST: {history: 10, seed: {foo: baz}}\n", {"KV_TEST": "update"}),
        Step("buckets:\n  TEST: {history: 10, seed: {foo: baz}}\n", {},
             behind=lambda server, _raw: _is("bar", got(server, "TEST", "foo"))),
    ],
    "NACK: a bucket, changed": [
        Step(ORDERS % (10, "5m", "test", ""), {"KV_orders": "create"},
             {"KV_orders": {"max_msgs_per_subject": 10, "max_age": 300 * SECOND, "compression": "s2"}}),
        Step(ORDERS % (50, "1h", "new", ""), {"KV_orders": "update"},
             {"KV_orders": {"max_msgs_per_subject": 50, "max_age": 3600 * SECOND, "description": "new"}}),
        Step(ORDERS % (65, "1h", "new", ""), {"": "streams.yaml:2: buckets.orders.history: 65 is not between"}),
    ],
    "NACK: a bucket that is there with other settings": [
        Step(ORDERS % (10, "5m", "test", ""),
             {"": "KV_orders: already exists"}, {"KV_orders": {"max_msgs_per_subject": 1}},
             behind=lambda server, _raw: made_bucket(server, bucket="orders")),
        Step(ORDERS % (10, "5m", "test", ", adopt: never"), {"": "KV_orders: already exists"}),
        Step(ORDERS % (10, "5m", "test", ", adopt: always, allow_msg_ttl: true"), {"KV_orders": "create"},
             {"KV_orders": {"max_msgs_per_subject": 10, "compression": "s2"}}),
    ],
    "NACK: a bucket that nothing may delete": [
        Step(ORDERS % (10, "5m", "test", ", on_delete: retain"), {"KV_orders": "create"}),
        Step("OTHER:\n", {"OTHER": "create", "KV_orders": "delete"}, {"KV_orders": {"max_msgs_per_subject": 10}}),
    ],
    "NACK: a bucket with entries": [
        Step(ORDERS % (10, "5m", "test", ""), {"KV_orders": "create"}),
        Step("OTHER:\n", {"": "KV_orders"}, {"KV_orders": {}},
             behind=lambda server, _raw: put_all(server, "orders", key=[b"1", b"2"])),
        Step(ORDERS % (1, "5m", "test", ""), {"": "KV_orders: history 10 -> 1 would delete 1 of 2 revisions"}),
    ],
    "NACK: a bucket that was deleted already": [
        Step(ORDERS % (10, "5m", "test", ""), {"KV_orders": "create"}),
        Step("OTHER:\n", {"OTHER": "create", "KV_orders": "delete"}, {"KV_orders": None},
             behind=_asks("STREAM.DELETE.KV_orders")),
    ],
    "NACK: a bucket that is a mirror and has sources": [
        Step("buckets:\n  A:\n  kv: {mirror: {name: A}, sources: [{name: A}]}\n",
             {"": "streams.yaml:3: buckets.kv.mirror: excludes sources"}),
    ],
    "Terraform: an object store, deleted by somebody": [
        Step(OBJ % "", {"OBJ_TEST": "create"},
             {"OBJ_TEST": {"max_age": 60 * SECOND, "storage": "memory", "max_bytes": 10240, "compression": "s2"}}),
        Step(OBJ % "", {"OBJ_TEST": "update"}, {"OBJ_TEST": {"max_bytes": 10240}},
             behind=_asks("STREAM.DELETE.OBJ_TEST")),
        Step("OTHER:\n", {"OTHER": "create", "OBJ_TEST": "delete"}, {"OBJ_TEST": None}),
    ],
    "NACK: an object store, changed": [
        Step(OBJ % "", {"OBJ_TEST": "create"}),
        Step(OBJ.replace("ttl: 1m", "ttl: 1h") % ", description: new, metadata: {foo: bar}", {"OBJ_TEST": "update"},
             {"OBJ_TEST": {"max_age": 3600 * SECOND, "description": "new", "compression": "s2"}}),
    ],
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_as_catalogues(server: NatsServer, raw: RawClient, case: str) -> None:
    """Each step is planned as it is carried out, the server has what was wanted, and nothing is left to do."""
    stack = Stack(server)
    for step in CASES[case]:
        if step.behind:
            step.behind(server, raw)
        done = stack.up(step.catalogue)
        assert step.plan == {label: effect[: len(step.plan.get(label, effect))] for label, effect in done.items()}
        for label, fields in step.server.items():
            assert fields == _on_server(raw, label, fields)
        if "" not in done:
            assert {} == stack.preview(step.catalogue)


def _on_server(raw: RawClient, label: str, fields: dict[str, Any] | None) -> dict[str, Any] | None:
    """These fields of a stream or consumer; None where it is not there."""
    stream, _, consumer = label.partition("/")
    try:
        info = raw.ask(f"CONSUMER.INFO.{stream}.{consumer}") if consumer else raw.info(stream)
    except RequestError:
        return None
    return {name: _own(info["config"].get(name)) for name in fields or {}}


def _own(value: Any) -> Any:
    """Without the metadata that the server adds."""
    is_map = isinstance(value, dict)
    return {key: text for key, text in value.items() if not key.startswith("_nats.")} if is_map else value


def _is(expected: str, value: bytes | None) -> None:
    assert expected.encode() == value

"""The checks of a stream's leader and replicas, one row a case."""

from __future__ import annotations

from typing import Any

import pytest

from provisioner.catalogue import reader as catalogue
from provisioner.errors import ApiError, ProvisionerError, Unreachable
from provisioner.schema.model import StreamInfo
from provisioner.status.listing import Listing
from provisioner.status.replicas import Placement, placement, plain_placement
from provisioner.status.server_checks import Severity
from provisioner.status.stream_checks import StreamHealth, examine

OK, WARNING, CRITICAL, UNKNOWN = Severity.OK, Severity.WARNING, Severity.CRITICAL, Severity.UNKNOWN
SPEC = catalogue.parse("ORDERS: {subjects: [orders], num_replicas: 3}", "streams.yaml").streams[0]
SECOND_NS = 1_000_000_000
LED_2_S = {"leader_since": "2026-01-01T00:00:00Z", "ts": "2026-01-01T00:00:02Z"}
LED_9_S = {"leader_since": "2026-01-01T00:00:00Z", "ts": "2026-01-01T00:00:09Z"}


def replica(name: str, **fields: Any) -> dict[str, Any]:
    """A replica in nats-server's words; it is well unless told otherwise."""
    return {"name": name, "current": True, "active": SECOND_NS // 2, **fields}


def body(*replicas: dict[str, Any], leader: str = "n0", **times: str) -> dict[str, Any]:
    """What is read of an answer to INFO."""
    group = {"name": "C", "leader": leader, "replicas": list(replicas)}
    since = {"leader_since": times["leader_since"]} if "leader_since" in times else {}
    return {"cluster": group | since, "ts": times.get("ts", "")}


def examined(answer: dict[str, Any], **fields: Any) -> StreamHealth:
    """The stream's health by such an answer."""
    where = placement(answer)
    assert where
    info = StreamInfo({**SPEC.config, **fields}, "2026-01-01T00:00:00Z")  # type: ignore[typeddict-item]
    return examine([SPEC], Listing(account={}, streams={"ORDERS": info}, placements={"ORDERS": where}), {})[0]


@pytest.mark.parametrize("answer", [{}, {"cluster": None}, {"cluster": {"leader": "NABC"}}])
def test_a_single_server(answer: dict[str, Any]) -> None:
    """It names itself as the leader, or nobody, and no cluster."""
    assert placement(answer) is None


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({}, None),
        ({"lag": 500}, None),
        ({"active": 5 * SECOND_NS}, None),
        ({"active": 6 * SECOND_NS}, "has been silent for 6 s"),
        ({"offline": True}, "is offline"),
        ({"offline": True, "current": False, "active": 60 * SECOND_NS, "lag": 99}, "is offline"),
        ({"current": False, "lag": 10}, None),
        ({"current": False, "lag": 589}, "is catching up, 589 behind"),
        ({"current": False, "active": 7 * SECOND_NS, "lag": 589}, "has been silent for 7 s"),
    ],
)
def test_a_replica(fields: dict[str, Any], text: str | None) -> None:
    """One that is lost, or behind by more than a replica at work, is a warning; the stream serves on."""
    health = examined(body(replica("n1"), replica("n2", **fields)))
    expected = ("degraded", WARNING, f"replica on n2 {text}") if text else ("ok", OK, "is as the catalogue says")
    assert expected == (health.state, health.severity, health.results[0].text)


@pytest.mark.parametrize(("times", "state"), [(LED_2_S, "ok"), (LED_9_S, "degraded"), ({}, "degraded")])
def test_a_replica_never_heard_of(times: dict[str, str], state: str) -> None:
    """A leader that has just been elected has had no time to hear of it."""
    assert state == examined(body(replica("n1"), replica("n2", current=False, active=0, lag=2), **times)).state


@pytest.mark.parametrize(
    ("answer", "state", "severity", "text"),
    [
        (body(replica("n1"), replica("n2", offline=True)), "degraded", WARNING, "replica on n2 is offline"),
        (
            body(replica("n1", active=6 * SECOND_NS), replica("n2", offline=True)),
            "no quorum",
            CRITICAL,
            "has lost its quorum: 1 of 3 replicas",
        ),
        (
            body(replica("n0"), replica("n1"), replica("n2"), leader=""),
            "no leader",
            CRITICAL,
            "has no leader, takes and gives no message; it is on n0, n1, n2",
        ),
        (body(), "ok", OK, "is as the catalogue says"),
        (body(replica("n1", offline=True)), "no quorum", CRITICAL, "has lost its quorum: 1 of 2 replicas"),
        (
            body(*(replica(f"n{each}", offline=each > 2) for each in range(1, 5))),
            "degraded",
            WARNING,
            "replica on n3 is offline",
        ),
    ],
)
def test_a_group(answer: dict[str, Any], state: str, severity: Severity, text: str) -> None:
    """A replica less is a warning as long as a majority is left; without one, or a leader, nobody is served."""
    health = examined(answer)
    assert (state, severity, text) == (health.state, health.severity, health.results[0].text)


def test_drift_beside_a_lost_replica() -> None:
    """Both are told; the state is what only an up can mend."""
    health = examined(body(replica("n1"), replica("n2", offline=True)), max_age=SECOND_NS)
    assert "drift" == health.state
    assert ["replica on n2 is offline", "max_age: unlimited (live: 1s)"] == [each.text for each in health.results][:2]


@pytest.mark.parametrize(
    ("error", "state", "severity"),
    [
        (Unreachable("does not answer"), "silent", CRITICAL),
        (ApiError(10118, "stream is offline"), "silent", CRITICAL),
        (ProvisionerError("there was no time left to ask for it"), "unknown", UNKNOWN),
    ],
)
def test_a_silent_stream(error: ProvisionerError, state: str, severity: Severity) -> None:
    """One that does not answer serves nobody; one that was not asked may well."""
    health = examine([SPEC], Listing(account={}, streams={}, silent={"ORDERS": error}), {})[0]
    assert (state, severity, str(error)) == (health.state, health.severity, health.results[0].text)


def test_plain() -> None:
    """Figures as numbers; what is not known is null."""
    found = plain_placement(placement(body(replica("n1", lag=3), replica("n2", current=False, active=0))))
    assert {
        "leader": "n0",
        "replicas": [
            {"name": "n1", "current": True, "offline": False, "lag": 3, "silent_s": 0.5},
            {"name": "n2", "current": False, "offline": False, "lag": 0, "silent_s": None},
        ],
    } == found
    assert {"leader": None, "replicas": []} == plain_placement(None)
    assert {"leader": None, "replicas": []} == plain_placement(Placement(""))

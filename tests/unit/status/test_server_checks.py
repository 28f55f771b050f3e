"""The checks of a server, one row a case."""

from __future__ import annotations

from typing import Any

import pytest

from provisioner.errors import (
    ApiError,
    InvalidAnswer,
    JetStreamOff,
    NobodyListens,
    ProvisionerError,
    Refused,
    Unreachable,
)
from provisioner.jetstream.monitoring import Answer
from provisioner.status.server_checks import ENDPOINTS, Result, Severity, api_result, monitoring_results, worst

OK, WARNING, CRITICAL, UNKNOWN = Severity.OK, Severity.WARNING, Severity.CRITICAL, Severity.UNKNOWN
GIB = 1024**3
URL = "http://127.0.0.1:8222"

HEALTHY: dict[str, dict[str, Any]] = {
    "/healthz": {"status": "ok"},
    "/varz": {"version": "2.15.1", "uptime": "3h2m", "connections": 1234, "slow_consumers": 1},
    "/jsz": {"config": {"max_storage": 24 * GIB}, "storage": GIB, "reserved_storage": 18 * GIB},
    "/connz?limit=1": {"total": 1},
    "/subsz": {"num_subscriptions": 65},
}


def account(**changes: Any) -> dict[str, Any]:
    """The part of an answer to $JS.API.INFO that is read."""
    return {"storage": 0, "streams": 5, "consumers": 1, "limits": {"max_storage": -1}, **changes}


def judged(path: str, body: dict[str, Any]) -> Result:
    """The result for one endpoint's answer, the others being healthy."""
    answers = {known: Answer(HEALTHY[known]) for known in ENDPOINTS} | {path: Answer(body)}
    return {result.name: result for result in monitoring_results(URL, answers)}[path.partition("?")[0]]


def test_healthy_server() -> None:
    """Each endpoint has one line, with the figures an operator looks for."""
    answers = {path: Answer(body) for path, body in HEALTHY.items()}
    assert [
        Result("/healthz", OK, "ok"),
        Result("/varz", OK, "nats-server 2.15.1, up 3h2m, 1,234 connections, 1 slow consumer"),
        Result("/jsz", OK, "file store: 1.0 GiB of 24.0 GiB used, 18.0 GiB of 24.0 GiB reserved"),
        Result("/connz", OK, "1 connection"),
        Result("/subsz", OK, "65 subscriptions"),
    ] == list(monitoring_results(URL, answers))


@pytest.mark.parametrize(
    ("path", "body", "severity", "text"),
    [
        (
            "/healthz",
            {"status": "unavailable", "error": "no meta leader"},
            CRITICAL,
            "unavailable: no meta leader",
        ),
        ("/healthz", {"status": "error"}, CRITICAL, "error: no reason given"),
        ("/healthz", {}, WARNING, "is not an answer of nats-server"),
        ("/varz", {"version": "2.15.1"}, WARNING, "is not an answer of nats-server"),
        ("/varz", {**HEALTHY["/varz"], "connections": "x"}, WARNING, "is not an answer of nats-server"),
        ("/jsz", {"disabled": True}, CRITICAL, "JetStream is off"),
        ("/jsz", {"config": None}, WARNING, "is not an answer of nats-server"),
        ("/jsz", {**HEALTHY["/jsz"], "storage": 23 * GIB}, WARNING, "23.0 GiB of 24.0 GiB used"),
        ("/jsz", {**HEALTHY["/jsz"], "config": {"max_storage": 0}}, OK, "1.0 GiB used"),
    ],
)
def test_endpoint(path: str, body: dict[str, Any], severity: Severity, text: str) -> None:
    """Each kind of bad answer has its severity, and none is a crash."""
    result = judged(path, body)
    assert severity == result.severity
    assert text in result.text


def test_monitoring_without_url() -> None:
    """A server without a monitoring URL is not worse for it."""
    assert [Result("monitoring", OK, "not asked: no monitoring URL")] == list(monitoring_results("", {}))


def test_monitoring_unanswered() -> None:
    """A port nobody answers on is told once, not for each endpoint."""
    answers = dict.fromkeys(ENDPOINTS, Answer(problem="no answer: Connection refused"))
    assert [Result("monitoring", WARNING, f"{URL}: no answer: Connection refused")] == list(
        monitoring_results(URL, answers)
    )


def test_one_endpoint_unanswered() -> None:
    """One late endpoint leaves the others' results alone."""
    answers = {path: Answer(body) for path, body in HEALTHY.items()} | {"/jsz": Answer(problem="late")}
    assert [OK, OK, WARNING, OK, OK] == [result.severity for result in monitoring_results(URL, answers)]


@pytest.mark.parametrize(
    ("answer", "severity", "text"),
    [
        (account(), OK, "5 streams, 1 consumer, 0 B used by this account"),
        (account(storage=GIB, limits={"max_storage": 2 * GIB}), OK, "1.0 GiB of 2.0 GiB used"),
        (account(storage=GIB, limits={"max_storage": GIB}), WARNING, "1.0 GiB of 1.0 GiB used"),
        (Unreachable("nobody"), UNKNOWN, "nobody"),
        (NobodyListens("refused"), CRITICAL, "refused"),
        (InvalidAnswer("not JSON"), UNKNOWN, "not JSON"),
        ({}, UNKNOWN, "is not an answer of JetStream"),
        (account(storage="x"), UNKNOWN, "is not an answer of JetStream"),
        (Refused("wrong password"), UNKNOWN, "wrong password"),
        (JetStreamOff("JetStream is off"), CRITICAL, "JetStream is off"),
        (ApiError(10039, "not enabled for account"), CRITICAL, "not enabled for account (10039)"),
        (ApiError(10076, "not enabled"), CRITICAL, "not enabled (10076)"),
        (ApiError(10008, "unavailable"), CRITICAL, "unavailable (10008)"),
    ],
)
def test_api(answer: dict[str, Any] | ProvisionerError, severity: Severity, text: str) -> None:
    """JetStream off and a server that is down are critical; one that cannot be asked is unknown."""
    result = api_result(answer)
    assert ("$JS.API.INFO", severity) == (result.name, result.severity)
    assert text in result.text


@pytest.mark.parametrize(
    ("severities", "expected"),
    [
        ([], OK),
        ([OK, WARNING], WARNING),
        ([WARNING, UNKNOWN], UNKNOWN),
        ([CRITICAL, UNKNOWN], CRITICAL),
    ],
)
def test_worst(severities: list[Severity], expected: Severity) -> None:
    """What is known to be broken outweighs what could not be seen, and that a warning."""
    assert expected == worst(severities)


def test_exit_codes() -> None:
    """The codes that monitoring systems know."""
    assert {"OK": 0, "WARNING": 1, "CRITICAL": 2, "UNKNOWN": 3} == {s.name: s.value for s in Severity}

"""Checks of a server: values in, results out, no I/O. After jsm.go's ``monitor`` package."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final, TypeAlias

from provisioner.errors import (
    JETSTREAM_OFF,
    JETSTREAM_OFF_FOR_ACCOUNT,
    NO_META_LEADER,
    ApiError,
    InvalidAnswer,
    JetStreamOff,
    NobodyListens,
    ProvisionerError,
)
from provisioner.jetstream.monitoring import Answer
from provisioner.text import approximate_size, counted
from provisioner.units import format_duration

Json: TypeAlias = Mapping[str, Any]

NEARLY_FULL: Final = 0.9  # of a limit
_SERVES_NOBODY: Final = {JETSTREAM_OFF, JETSTREAM_OFF_FOR_ACCOUNT, NO_META_LEADER}


class Severity(IntEnum):
    """A state of health; the value is the exit code that monitoring systems expect."""

    OK = 0
    WARNING = 1
    CRITICAL = 2
    UNKNOWN = 3


_GRAVITY: Final = (Severity.OK, Severity.WARNING, Severity.UNKNOWN, Severity.CRITICAL)


@dataclass(frozen=True)
class Result:
    """The outcome of one check."""

    name: str
    severity: Severity
    text: str


def worst(severities: Iterable[Severity]) -> Severity:
    """The gravest: what is certainly broken outweighs what could not be seen."""
    return max(severities, key=_GRAVITY.index, default=Severity.OK)


def api_result(account: Json | ProvisionerError, api: str = "$JS.API") -> Result:
    """The answer to the API's ``INFO``, the only proof that JetStream works."""
    name = f"{api}.INFO"
    if isinstance(account, ProvisionerError):
        return Result(name, _gravity_of(account), str(account))
    try:
        return Result(name, *_account(account))
    except (InvalidAnswer, LookupError, TypeError, ValueError):
        return Result(name, Severity.UNKNOWN, "is not an answer of JetStream; check the server's URL")


def _account(body: Json) -> tuple[Severity, str]:
    full, share = _share(body["storage"], body["limits"]["max_storage"])
    text = f"{_count(body, 'streams')}, {_count(body, 'consumers')}, {share} used by this account"
    return Severity.WARNING if full else Severity.OK, text


def monitoring_results(url: str | None, answers: Mapping[str, Answer]) -> Iterator[Result]:
    """A result for each endpoint, or one for all where there is no URL or no answer at all."""
    problems = {answer.problem for answer in answers.values()}
    if not url:
        yield Result("monitoring", Severity.OK, "not asked: no monitoring URL")
    elif len(problems) == 1 and (problem := problems.pop()):
        yield Result("monitoring", Severity.WARNING, f"{url}: {problem}")
    else:
        yield from endpoint_results(answers)


def endpoint_results(answers: Mapping[str, Answer]) -> tuple[Result, ...]:
    """A result for each endpoint of one server."""
    return tuple(_endpoint_result(path, answer) for path, answer in answers.items())


def _gravity_of(error: ProvisionerError) -> Severity:
    """Critical is what certainly serves nobody: JetStream off, a cluster without a leader, or nothing that listens.

    Whatever can be the fault of the one who asks, or of the way there, is unknown: wrong credentials,
    missing permissions, a name that cannot be resolved, no answer in time.
    """
    down = isinstance(error, (JetStreamOff, NobodyListens)) or (
        isinstance(error, ApiError) and error.code in _SERVES_NOBODY
    )
    return Severity.CRITICAL if down else Severity.UNKNOWN


def _endpoint_result(path: str, answer: Answer) -> Result:
    name = path.partition("?")[0]
    if answer.problem:
        return Result(name, Severity.WARNING, answer.problem)
    try:
        return Result(name, *ENDPOINTS[path](answer.body))
    except (LookupError, TypeError, ValueError):
        return Result(name, Severity.WARNING, "is not an answer of nats-server; check the monitoring URL")


def _healthz(body: Json) -> tuple[Severity, str]:
    status = str(body["status"])
    if status == "ok":
        return Severity.OK, status
    return Severity.CRITICAL, f"{status}: {body.get('error') or 'no reason given'}"


def _varz(body: Json) -> tuple[Severity, str]:
    counts = f"{_count(body, 'connections')}, {_count(body, 'slow_consumers')}"
    return Severity.OK, f"nats-server {body['version']}, up {body['uptime']}, {counts}"


def _jsz(body: Json) -> tuple[Severity, str]:
    if body.get("disabled"):
        return Severity.CRITICAL, "JetStream is off on this server; switch it on"
    limit = body["config"]["max_storage"]
    full, share = _share(body["storage"], limit)
    reserved = _share(body["reserved_storage"], limit)[1]
    late = _sync_delay(body["config"])
    severity = Severity.WARNING if full or late else Severity.OK
    return severity, f"file store: {share} used, {reserved} reserved{late}"


def _sync_delay(config: Json) -> str:
    """What a power loss costs; a server that writes before it acknowledges loses nothing. Zero is its default."""
    interval = config.get("sync_interval") or 0
    if config.get("sync_always") or not interval:
        return ""
    return f"; a power loss costs up to {format_duration(interval)} of acknowledged messages (sync_interval)"


def _connz(body: Json) -> tuple[Severity, str]:
    return Severity.OK, counted(body["total"], "connection")


def _subsz(body: Json) -> tuple[Severity, str]:
    return Severity.OK, counted(body["num_subscriptions"], "subscription")


# What is asked, and how its answer is judged. One connection a page: only the total counts.
ENDPOINTS: Final[Mapping[str, Callable[[Json], tuple[Severity, str]]]] = {
    "/healthz": _healthz,
    "/varz": _varz,
    "/jsz": _jsz,
    "/connz?limit=1": _connz,
    "/subsz": _subsz,
}


def _share(used: int, limit: int) -> tuple[bool, str]:
    """Whether it is nearly full, and how much of what; no limit is 0 or -1."""
    if limit <= 0:
        return False, approximate_size(used)
    return used > NEARLY_FULL * limit, f"{approximate_size(used)} of {approximate_size(limit)}"


def _count(body: Json, key: str) -> str:
    return counted(body[key], key.removesuffix("s").replace("_", " "))

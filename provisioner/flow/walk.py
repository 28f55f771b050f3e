"""A smoke test: every hop is asked, then a message walks over those that the sources reach."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Final

from provisioner.errors import ProvisionerError, Unreachable
from provisioner.flow.double import Carried, Double, delivery_limits
from provisioner.flow.hops import Hop, sources
from provisioner.flow.logins import Logins
from provisioner.flow.real import ask_consumer, ask_stream
from provisioner.log import tell
from provisioner.schema.types import Wire
from provisioner.text import counted

_BAR: Final = {"symbol": "SMOKE", "open": 17.0, "high": 17.5, "low": 16.75, "close": 17.25, "volume": 1200}
_REQUEST: Final = {"prediction": "smoke", "question": "why?"}
# What stands in a message to a subject that begins so; all else is passed on as it came.
_BODIES: Final = {"market.": _BAR, "explanations.request": _REQUEST}


@dataclass(frozen=True)
class Result:
    """What became of one hop; times in milliseconds, None where it did not come so far.

    Attributes:
        hop: which one.
        stream: until the real stream answered.
        consumer: until the real consumer answered.
        carried: how the message came over.
        problem: why it did not; empty where it did.
        is_silent: whether the problem is that there was no answer in time.
        limits: of the real consumer, on deliveries.
    """

    hop: Hop
    stream: float | None = None
    consumer: float | None = None
    carried: Carried | None = None
    problem: str = ""
    is_silent: bool = False
    limits: Mapping[str, Wire] = field(default_factory=dict)


def ask_all(logins: Logins, flow: Iterable[Hop]) -> Iterator[Result]:
    """Ask the real stream and the real consumer of each hop; none any more once there is no answer."""
    silence = ""
    for hop in flow:
        result = Result(hop, problem=silence) if silence else _ask(logins, hop)
        silence = silence or _after(result)
        yield result


def _after(result: Result) -> str:
    """Why no other hop is tried after this one: each would wait as long."""
    return f"not tried, as {result.hop.label} gave no answer" if result.is_silent else ""


def _ask(logins: Logins, hop: Hop) -> Result:
    stream = None
    try:
        stream = ask_stream(logins, hop)
        real, took = ask_consumer(logins, hop)
    except ProvisionerError as error:
        return Result(hop, stream, problem=str(error), is_silent=isinstance(error, Unreachable))
    return Result(hop, stream, took, limits=delivery_limits(real.config))


def walk(double: Double, asked: Sequence[Result]) -> Iterator[Result]:
    """Let a message walk over the hops that are as they should be; ``asked`` is in the order of the flow."""
    arrived: dict[str, Mapping[str, str]] = {name: {} for name in sources([result.hop for result in asked])}
    silence = ""
    for result in asked:
        hop = result.hop
        why_not = result.problem or silence or ("" if hop.publisher in arrived else f"nothing reaches {hop.publisher}")
        done = replace(result, problem=why_not) if why_not else _carried(double, result, arrived[hop.publisher])
        silence = silence or _after(done)
        if done.carried:
            arrived.setdefault(hop.service, done.carried.headers)
        yield done


@contextmanager
def doubled(double: Double) -> Iterator[Double]:
    """The stream of a run, which goes whatever happens; where it cannot, the user is told.

    Raises:
        ProvisionerError: it cannot be made.
    """
    try:
        double.create()
    except KeyboardInterrupt:  # the server may have made it
        _remove(double)
        raise
    try:
        yield double
    finally:
        _remove(double)


def _remove(double: Double) -> None:
    try:
        double.remove()
    except ProvisionerError as error:
        tell(f"the smoke test's own stream is left, and goes with the next run: {error}")


def problems(results: Iterable[Result]) -> list[str]:
    """A line for each problem: the hop that has it, and how many more."""
    hops_with: dict[str, list[Hop]] = {}
    for result in results:
        if result.problem:
            hops_with.setdefault(result.problem, []).append(result.hop)
    return [f"{hops[0].label}{_more(len(hops) - 1)}: {problem}" for problem, hops in hops_with.items()]


def _more(count: int) -> str:
    return f" and {counted(count, 'more hop')}" if count else ""


def _carried(double: Double, result: Result, headers: Mapping[str, str]) -> Result:
    try:
        return replace(result, carried=double.carry(result.hop, result.limits, _body(result.hop), headers))
    except ProvisionerError as error:
        return replace(result, problem=str(error), is_silent=isinstance(error, Unreachable))


def _body(hop: Hop) -> bytes:
    content = next((body for start, body in _BODIES.items() if hop.subject.startswith(start)), {"from": hop.publisher})
    return json.dumps(content).encode()

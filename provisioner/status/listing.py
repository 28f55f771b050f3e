"""Asks the JetStream API for the account and its streams; of a cluster also where they are, and which are silent."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final

from provisioner.errors import (
    NO_META_LEADER,
    STREAM_NOT_FOUND,
    ApiError,
    InvalidAnswer,
    LoginRefused,
    ProvisionerError,
    Unreachable,
)
from provisioner.jetstream.client import JetStream
from provisioner.jetstream.codec import from_info
from provisioner.jetstream.consumers import ConsumerList, consumers
from provisioner.jetstream.consumers import listed as consumers_listed
from provisioner.jetstream.target import Target
from provisioner.jetstream.timeouts import REQUEST_TIMEOUT_S
from provisioner.schema.consumer_model import ConsumerInfo
from provisioner.schema.model import StreamInfo
from provisioner.status.detail import MOST_SUBJECTS
from provisioner.status.origins import origin_troubles
from provisioner.status.replicas import Placement, placement
from provisioner.status.server_checks import Json

_CONNECT_TIMEOUT_S: Final = 3.0  # a status does not wait for a server that is starting
_AT_ONCE: Final = 64
# A request that comes while a leader is being elected is lost.
_AGAIN_S: Final = 1.0
NO_ANSWER: Final = "does not answer: it has no leader, or the nodes that it is on are down"
_ODD: Final = "the streams cannot be read from the answer; something other than JetStream answers"


@dataclass(frozen=True, kw_only=True)
class Listing:
    """What the API says.

    Attributes:
        account: the answer to ``$JS.API.INFO``, or why there is none.
        streams: by name; None if they could not be asked for.
        placements: where those of the catalogue are; none of a single server.
        origins: what is wrong with the origins of those of the catalogue.
        consumers: those of the streams whose consumers the catalogue has; not of one that does not answer.
        leaderless: the consumers that are there and do not answer, as ``ConsumerSpec.label`` has them.
        silent: streams of which the cluster knows nothing but the name, or was not even asked, and why.
        may_speak_tls: whether the server does, or refused what might be a handshake.
        body: the answer to INFO of the one stream that is asked for in depth, with the counts of its subjects.
    """

    account: Json | ProvisionerError
    streams: Mapping[str, StreamInfo] | None = None
    placements: Mapping[str, Placement] = field(default_factory=dict)
    origins: Mapping[str, Sequence[str]] = field(default_factory=dict)
    consumers: Mapping[str, Mapping[str, ConsumerInfo]] = field(default_factory=dict)
    leaderless: frozenset[str] = frozenset()
    silent: Mapping[str, ProvisionerError] = field(default_factory=dict)
    may_speak_tls: bool = False
    body: Json | None = None


def ask(
    server: Target, wanted: Collection[str], consumed: Collection[str] = (), in_depth: str | None = None
) -> Listing:
    """The account and its streams.

    Args:
        server: whom to ask.
        wanted: the names of the catalogue's streams.
        consumed: those of them whose consumers it has.
        in_depth: one of them of which everything is wanted.
    """
    try:
        client = JetStream(server.url, server.credentials, _CONNECT_TIMEOUT_S)
    except ProvisionerError as error:
        return Listing(account=error, may_speak_tls=isinstance(error, LoginRefused))
    encrypted = client.connection.is_encrypted
    try:
        listing = _ask(client, wanted)
        body = _in_depth(client, listing, in_depth) if in_depth else None
        found = _consumers(client, listing, consumed)
        present = {name: each.present for name, each in found.items()}
        leaderless = frozenset(f"{name}/{missing}" for name, each in found.items() for missing in each.missing)
        return replace(listing, may_speak_tls=encrypted, consumers=present, leaderless=leaderless, body=body)
    except ProvisionerError as error:
        return Listing(account=error, may_speak_tls=encrypted)
    except (LookupError, TypeError, ValueError, AttributeError):
        return Listing(account=InvalidAnswer(_ODD), may_speak_tls=encrypted)
    finally:
        client.close()


def listed(server: Target, consumed: Mapping[str, Collection[str]]) -> Listing:
    """What a comparison takes, and no more: the streams, and the consumers of some of them.

    Args:
        server: whom to ask.
        consumed: the streams whose consumers are wanted, each with those that have to answer.

    Raises:
        ProvisionerError: something could not be asked.
    """
    with closing(JetStream(server.url, server.credentials, _CONNECT_TIMEOUT_S)) as client:
        try:
            streams = client.streams()
            present = {name: consumers(client, name, needed) for name, needed in consumed.items() if name in streams}
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            raise InvalidAnswer(f"{server.url}: {_ODD}") from error
    return Listing(account={}, streams=streams, consumers=present)


def _consumers(client: JetStream, listing: Listing, consumed: Collection[str]) -> dict[str, ConsumerList]:
    """The consumers of each stream that is there and answers; without a meta leader nobody lists them."""
    if isinstance(listing.account, ProvisionerError):
        return {}
    present = [name for name in consumed if name in (listing.streams or {}) and name not in listing.silent]
    found = dict[str, ConsumerList]()
    for name in present:
        with suppress(Unreachable):
            found[name] = consumers_listed(client, name)
    return found


def _in_depth(client: JetStream, listing: Listing, name: str) -> Json | None:
    """The counts of subjects are asked for only where they are few."""
    info = (listing.streams or {}).get(name)
    if info is None or name in listing.silent:
        return None
    question = {"subjects_filter": ">"} if info.subjects <= MOST_SUBJECTS else None
    try:
        return client.request(f"STREAM.INFO.{name}", question)
    except (ApiError, Unreachable):
        return None


def _ask(client: JetStream, wanted: Collection[str]) -> Listing:
    silent: list[str] = []
    try:
        account: Json | ProvisionerError = client.account()
        bodies = list(client.pages("STREAM.LIST", "streams", silent))
    except (ApiError, Unreachable) as error:
        if not _is_leaderless(client, error):
            raise
        account, bodies, silent = error, [], list(wanted)  # without a list, each may still answer for itself
    alone = _each(client, silent)
    return _listing(account, [*bodies, *(body for body in alone.values() if isinstance(body, dict))], wanted, alone)


def _is_leaderless(client: JetStream, error: ProvisionerError) -> bool:
    """Whether a cluster has nobody to answer for all streams."""
    return error.code == NO_META_LEADER if isinstance(error, ApiError) else client.cluster != ""


def _listing(
    account: Json | ProvisionerError, bodies: Iterable[Json], wanted: Collection[str], alone: Mapping[str, object]
) -> Listing:
    named = {body["config"]["name"]: body for body in bodies}
    places = ((name, placement(named[name])) for name in wanted if name in named)
    return Listing(
        account=account,
        streams={name: from_info(body) for name, body in named.items()},
        placements={name: place for name, place in places if place},
        origins={name: [*origin_troubles(named[name])] for name in wanted if name in named},
        silent={name: error for name, error in alone.items() if isinstance(error, ProvisionerError)},
    )


def _each(client: JetStream, names: Collection[str]) -> dict[str, dict[str, Any] | ProvisionerError | None]:
    """Each stream's answer, or why there is none; None for one that is not there."""
    if not names:
        return {}
    patiently = partial(_patiently, client, time.monotonic() + REQUEST_TIMEOUT_S)
    with ThreadPoolExecutor(min(len(names), _AT_ONCE)) as executor:
        return dict(zip(names, executor.map(patiently, names), strict=True))


def _patiently(client: JetStream, deadline: float, name: str) -> dict[str, Any] | ProvisionerError | None:
    problem: ProvisionerError = ProvisionerError("there was no time left to ask for it")
    while (left := deadline - time.monotonic()) > 0:
        try:
            return client.request(f"STREAM.INFO.{name}", timeout=min(left, _AGAIN_S))
        except Unreachable:
            problem = Unreachable(NO_ANSWER)
        except ApiError as error:
            return None if error.code == STREAM_NOT_FOUND else error
        except ProvisionerError as error:
            return error
    return problem

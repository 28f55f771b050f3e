"""The JetStream API: streams of one account, in this program's values.

Every method raises the errors of ``errors``; every request has a deadline (``connection``).
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from provisioner.errors import (
    MESSAGE_NOT_FOUND,
    STORE_NOT_CREATED,
    STREAM_NOT_FOUND,
    ApiError,
    Refused,
    Unreachable,
)
from provisioner.jetstream import address
from provisioner.jetstream import facts as told
from provisioner.jetstream.answers import answered
from provisioner.jetstream.codec import from_info, to_request
from provisioner.jetstream.election import ELECTION_TIMEOUT_S, outlast_election
from provisioner.jetstream.monitoring import fetch
from provisioner.jetstream.session import OtherLogin, Session, no_other_login
from provisioner.jetstream.target import Credentials
from provisioner.jetstream.timeouts import FIRST_CONTACT_TIMEOUT_S, LIST_TIMEOUT_S, REQUEST_TIMEOUT_S
from provisioner.schema.model import ServerFacts, StreamConfig, StreamInfo

if TYPE_CHECKING:
    from provisioner.jetstream.connection import Connection

_SNAPSHOT_TIMEOUT_S: Final = 60.0  # servers before 2.15 check every message before they answer
_STORE_TIMEOUT_S: Final = 2.0
_STORE_PAUSE_S: Final = 0.1
NO_FOLDER: Final = "could not create storage directory"


class JetStream:
    """The streams of the account that the credentials belong to, or those behind another API that the address names.

    Args:
        url: the server's, or those of a cluster's servers with commas.
        credentials: how to log in.
        timeout: seconds for the first contact.
        other_login: gives the login to try when the server refuses one, at first or later; None for no other.

    Attributes:
        api: what the subjects of its requests begin with.
    """

    def __init__(
        self,
        url: str,
        credentials: Credentials,
        timeout: float = FIRST_CONTACT_TIMEOUT_S,
        other_login: OtherLogin = no_other_login,
    ) -> None:
        self.api = address.api(url)
        self._session = Session(url, credentials, timeout, other_login)

    @property
    def connection(self) -> Connection:
        """The connection to the server."""
        return self._session.connection

    @property
    def cluster(self) -> str | None:
        """The cluster that has the streams; empty for a single server, None where the one that greets cannot tell."""
        return self.connection.cluster if self.api == address.DEFAULT_API else None

    def request(
        self, subject: str, body: Mapping[str, Any] | None = None, timeout: float = REQUEST_TIMEOUT_S
    ) -> dict[str, Any]:
        """Send one request of the API.

        Args:
            subject: below ``api``.
            body: the request's JSON.
            timeout: seconds.

        Raises:
            ApiError: JetStream's own error.
            InvalidAnswer: the answer is not JetStream's.
        """
        payload = json.dumps(body).encode() if body is not None else b""
        if self.cluster == "":
            return self._answer(subject, payload, timeout)
        return outlast_election(subject, lambda: self._answer(subject, payload, timeout))

    def _answer(self, subject: str, payload: bytes, timeout: float) -> dict[str, Any]:
        return answered(self._session.request(f"{self.api}.{subject}", payload, timeout))

    def pages(self, subject: str, entries: str, missing: list[str] | None = None) -> Iterator[dict[str, Any]]:
        """The entries of an answer that comes in pages.

        Args:
            subject: below ``api``.
            entries: the key that has them.
            missing: takes the names of those that are on nodes of a cluster that have not answered in time.

        Raises:
            Unreachable: there are some, and nobody takes them.
        """
        offset, total = 0, 1
        while offset < total:
            page = self.request(subject, {"offset": offset}, max(REQUEST_TIMEOUT_S, LIST_TIMEOUT_S))
            silent = page.get("missing") or []
            if silent and missing is None:
                raise Unreachable(f"{self.connection.url}: {subject}: no answer about {', '.join(silent)}")
            if missing is not None:
                missing += silent
            total, bodies = page["total"], page.get(entries) or []
            yield from bodies
            offset = offset + len(bodies) if bodies else total

    def streams(self) -> dict[str, StreamInfo]:
        """Every stream by name, in pages: ten times as fast as an INFO for each.

        Raises:
            Unreachable: one does not answer, not even when it is asked for alone.
        """
        missing: list[str] = []
        infos = {body["config"]["name"]: from_info(body) for body in self.pages("STREAM.LIST", "streams", missing)}
        return infos | {name: info for name in missing if (info := self.stream(name))}

    def stream(self, name: str) -> StreamInfo | None:
        """One stream; None if there is none of that name."""
        try:
            return from_info(self.request(f"STREAM.INFO.{name}"))
        except ApiError as error:
            if error.code == STREAM_NOT_FOUND:
                return None
            raise

    def create(self, config: StreamConfig) -> StreamInfo:
        """Create a stream; one that exists with equal settings is returned as it is."""
        # Its leader answers. With a node down it is elected first in every third case, which takes 4 to 6 s.
        timeout = max(REQUEST_TIMEOUT_S, ELECTION_TIMEOUT_S if config["num_replicas"] > 1 else 0)
        return from_info(self._making_store(f"STREAM.CREATE.{config['name']}", to_request(config), timeout))

    def update(self, config: StreamConfig) -> StreamInfo:
        """Replace a stream's whole configuration."""
        return from_info(self.request(f"STREAM.UPDATE.{config['name']}", to_request(config)))

    def long_update(self, config: StreamConfig, is_at_work: Callable[[], bool]) -> StreamInfo:
        """The same where messages are deleted by it; ``is_at_work`` as ``Connection.long_request`` has it."""
        subject, payload = f"{self.api}.STREAM.UPDATE.{config['name']}", json.dumps(to_request(config)).encode()
        return from_info(answered(self.connection.long_request(subject, payload, is_at_work)))

    def delete(self, name: str) -> bool:
        """Delete a stream and its messages; False if there was none."""
        try:
            self.request(f"STREAM.DELETE.{name}")
        except ApiError as error:
            if error.code == STREAM_NOT_FOUND:
                return False
            raise
        return True

    def consumers(self, stream: str) -> list[dict[str, Any]]:
        """The configurations of a stream's consumers, each with its name."""
        return [{**body["config"], "name": body["name"]} for body in self.consumer_states(stream)]

    def consumer_states(self, stream: str) -> Iterator[dict[str, Any]]:
        """A stream's consumers in the server's own words: configuration, deliveries and acknowledgements.

        Raises:
            Unreachable: one does not answer, not even when it is asked for alone: it may have no leader yet.
        """
        missing: list[str] = []
        yield from self.pages(f"CONSUMER.LIST.{stream}", "consumers", missing)
        yield from (self.request(f"CONSUMER.INFO.{stream}.{name}") for name in missing)

    def ack_floors(self, stream: str) -> dict[str, int]:
        """Each durable consumer's name and the sequence up to which everything is acknowledged."""
        durable = (body for body in self.consumer_states(stream) if body["config"].get("durable_name"))
        staying = (body for body in durable if not body["config"].get("inactive_threshold"))
        return {body["name"]: body["ack_floor"]["stream_seq"] for body in staying}

    def snapshot(self, request: Mapping[str, Any], stream: str) -> dict[str, Any]:
        """Request that a snapshot is delivered (``snapshots``); the stream's raw config and state."""
        return self.request(f"STREAM.SNAPSHOT.{stream}", request, _SNAPSHOT_TIMEOUT_S)

    def restore(self, request: Mapping[str, Any], stream: str) -> str:
        """Begin to restore a stream of this raw config and state; returns the subject to send its snapshot to."""
        return str(self._making_store(f"STREAM.RESTORE.{stream}", request)["deliver_subject"])

    def reconfigure(self, config: Mapping[str, Any]) -> None:
        """Replace a stream's whole configuration by this raw one."""
        self.request(f"STREAM.UPDATE.{config['name']}", config)

    def state(self, stream: str) -> dict[str, Any]:
        """A stream's raw state: sequences, times and counts."""
        return dict(self.request(f"STREAM.INFO.{stream}")["state"])

    def before(self, stream: str, instant: str) -> int | None:
        """How many messages a stream stored before an instant; None without permission to read messages.

        Counted by sequence: everything below the first message from then on, minus the deleted ones.
        """
        state = self.request(f"STREAM.INFO.{stream}", {"deleted_details": True})["state"]
        try:
            later = self.request(f"STREAM.MSG.GET.{stream}", {"start_time": instant, "next_by_subj": ">"})
        except Refused:
            return None
        except ApiError as error:
            if error.code == MESSAGE_NOT_FOUND:
                return int(state["messages"])
            raise
        sequence = int(later["message"]["seq"])
        gaps = sum(1 for deleted in state.get("deleted") or [] if deleted < sequence)
        return max(sequence - int(state["first_seq"]) - gaps, 0)

    def per_subject(self, stream: str, subjects: str = ">") -> Iterator[int]:
        """How many messages each subject of a stream has, in pages; of those that ``subjects`` matches."""
        offset, total = 0, 1
        while offset < total:
            page = self.request(f"STREAM.INFO.{stream}", {"subjects_filter": subjects, "offset": offset})
            counts = page["state"].get("subjects") or {}
            yield from counts.values()
            offset, total = offset + len(counts), page.get("total", 0) if counts else 0

    def publish(self, subject: str, payload: bytes, headers: Mapping[str, str]) -> None:
        """Publish one message and wait until its stream has it.

        Raises:
            ApiError: the stream refuses it.
        """
        answered(self._session.request(self.rooted(subject), payload, REQUEST_TIMEOUT_S, dict(headers)))

    def rooted(self, subject: str) -> str:
        """A subject of a stream as it is published from here: a bucket's entries go by way of the API."""
        is_own = self.api == address.DEFAULT_API or not subject.startswith("$")
        return subject if is_own else f"{self.api}.{subject}"

    def _making_store(
        self, subject: str, body: Mapping[str, Any], timeout: float = REQUEST_TIMEOUT_S
    ) -> dict[str, Any]:
        """The answer to a request that makes a stream's files.

        nats-server removes the folder of an account's last stream after it has answered that the stream is gone,
        and then cannot make the next one in it.
        """
        deadline = time.monotonic() + _STORE_TIMEOUT_S
        while True:
            try:
                return self.request(subject, body, timeout)
            except ApiError as error:
                passing = error.code == STORE_NOT_CREATED or NO_FOLDER in error.description
                if not passing or time.monotonic() > deadline:
                    raise
            time.sleep(_STORE_PAUSE_S)

    def account(self) -> dict[str, Any]:
        """The answer to ``INFO``: the proof that JetStream works."""
        return self.request("INFO")

    def facts(self, monitor_url: str | None = None) -> ServerFacts:
        """What the rules need to know; of the servers' room and tags only what their monitoring says.

        Args:
            monitor_url: of one server, or of several, with commas: then all of them are asked.
        """
        account, urls = self.account(), monitor_url.split(",") if monitor_url else []
        answers = [fetch(url, ["/jsz", "/varz"], self._session.credentials) for url in urls]
        jsz, varz = answers[0]["/jsz"].body if answers else {}, [answer["/varz"].body for answer in answers]
        cluster = told.cluster_name(varz) if self.cluster is None else self.cluster
        return ServerFacts(
            version=self.connection.server_version if self.api == address.DEFAULT_API else told.server_version(varz),
            cluster=cluster,
            nodes=told.cluster_nodes(varz) if cluster else None,
            limits=told.account_limits(account),
            max_bytes_required=told.requires_max_bytes(account),
            syncs_always=told.syncs_always(jsz),
            **told.store_limits(jsz),
            **told.server_limits(varz),
        )

    def close(self) -> None:
        """Close the connection. Idempotent."""
        self.connection.close()

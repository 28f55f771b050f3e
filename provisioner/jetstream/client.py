"""The JetStream API: streams of one account, in this program's values.

Everything raises the errors of ``errors``; every request has a deadline (``connection``).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from provisioner.errors import MESSAGE_NOT_FOUND, STREAM_NOT_FOUND, ApiError, Refused
from provisioner.jetstream.codec import from_info, to_request
from provisioner.jetstream.connection import Connection
from provisioner.jetstream.monitoring import fetch
from provisioner.jetstream.target import Credentials
from provisioner.jetstream.timeouts import FIRST_CONTACT_TIMEOUT_S, REQUEST_TIMEOUT_S
from provisioner.schema.model import ServerFacts, StreamConfig, StreamInfo

_UNLIMITED: Final = -1
# Seconds: servers before 2.15 check every message before they answer.
_SNAPSHOT: Final = 60.0


class JetStream:
    """The streams of the account that the credentials belong to."""

    def __init__(self, url: str, credentials: Credentials, timeout: float = FIRST_CONTACT_TIMEOUT_S) -> None:
        self.connection = Connection(url, credentials, timeout)

    def streams(self) -> dict[str, StreamInfo]:
        """Every stream, in pages: a tenth of the time of an INFO for each."""
        return {body["config"]["name"]: from_info(body) for body in self._pages("STREAM.LIST", "streams")}

    def stream(self, name: str) -> StreamInfo | None:
        """One stream, None if there is none of that name."""
        try:
            return from_info(self._ask(f"STREAM.INFO.{name}"))
        except ApiError as error:
            if error.code == STREAM_NOT_FOUND:
                return None
            raise

    def create(self, config: StreamConfig) -> StreamInfo:
        """Make a stream; one that is there with equal settings is returned as it is."""
        return from_info(self._ask(f"STREAM.CREATE.{config['name']}", to_request(config)))

    def update(self, config: StreamConfig) -> StreamInfo:
        """Replace a stream's whole configuration."""
        return from_info(self._ask(f"STREAM.UPDATE.{config['name']}", to_request(config)))

    def delete(self, name: str) -> bool:
        """Delete a stream and its messages; False if there was none."""
        try:
            self._ask(f"STREAM.DELETE.{name}")
        except ApiError as error:
            if error.code == STREAM_NOT_FOUND:
                return False
            raise
        return True

    def consumers(self, stream: str) -> list[dict[str, Any]]:
        """The configurations of a stream's consumers, each with its name."""
        bodies = self._pages(f"CONSUMER.LIST.{stream}", "consumers")
        return [{**body["config"], "name": body["name"]} for body in bodies]

    def ack_floors(self, stream: str) -> dict[str, int]:
        """The durable consumers, each with the sequence up to which everything is acknowledged."""
        consumers = self._pages(f"CONSUMER.LIST.{stream}", "consumers")
        return {body["name"]: body["ack_floor"]["stream_seq"] for body in consumers if _is_durable(body["config"])}

    def snapshot(self, request: Mapping[str, Any], stream: str) -> dict[str, Any]:
        """Have a snapshot delivered (``snapshots``); the stream's raw config and state."""
        return self._ask(f"STREAM.SNAPSHOT.{stream}", request, _SNAPSHOT)

    def restore(self, request: Mapping[str, Any], stream: str) -> str:
        """Begin to restore a stream of this raw config and state; the subject to send its snapshot to."""
        return str(self._ask(f"STREAM.RESTORE.{stream}", request)["deliver_subject"])

    def state(self, stream: str) -> dict[str, Any]:
        """A stream's raw state: sequences, times and counts."""
        return dict(self._ask(f"STREAM.INFO.{stream}")["state"])

    def before(self, stream: str, instant: str) -> int | None:
        """How many messages a stream stored before an instant; None without leave to read messages.

        Counted by sequence: everything below the first message from then on, less what is deleted.
        """
        state = self._ask(f"STREAM.INFO.{stream}", {"deleted_details": True})["state"]
        try:
            later = self._ask(f"STREAM.MSG.GET.{stream}", {"start_time": instant, "next_by_subj": ">"})
        except Refused:
            return None
        except ApiError as error:
            if error.code == MESSAGE_NOT_FOUND:
                return int(state["messages"])
            raise
        sequence = int(later["message"]["seq"])
        gaps = sum(1 for deleted in state.get("deleted") or [] if deleted < sequence)
        return max(sequence - int(state["first_seq"]) - gaps, 0)

    def per_subject(self, stream: str) -> Iterator[int]:
        """How many messages each subject of a stream has, in pages."""
        offset, total = 0, 1
        while offset < total:
            page = self._ask(f"STREAM.INFO.{stream}", {"subjects_filter": ">", "offset": offset})
            counts = page["state"].get("subjects") or {}
            yield from counts.values()
            offset, total = offset + len(counts), page.get("total", 0) if counts else 0

    def account(self) -> dict[str, Any]:
        """The answer to ``$JS.API.INFO``: the proof that JetStream works."""
        return self._ask("INFO")

    def facts(self, monitor_url: str | None = None) -> ServerFacts:
        """What the rules need to know; the server's own store limits only with a monitoring URL."""
        limits = self.account()["limits"]
        store = {
            f"max_{kind}": limits[f"max_{kind}"]
            for kind in ("storage", "memory")
            if limits[f"max_{kind}"] != _UNLIMITED
        }
        return ServerFacts(
            version=self.connection.server_version,
            clustered=self.connection.clustered,
            max_bytes_required=limits.get("max_bytes_required", False),
            **(store or _store_limits(monitor_url)),
        )

    def close(self) -> None:
        """Hang up."""
        self.connection.close()

    def _ask(
        self, subject: str, body: Mapping[str, Any] | None = None, timeout: float = REQUEST_TIMEOUT_S
    ) -> dict[str, Any]:
        payload = json.dumps(body).encode() if body is not None else b""
        return answered(self.connection.request(f"$JS.API.{subject}", payload, timeout))

    def _pages(self, subject: str, entries: str) -> Iterator[dict[str, Any]]:
        offset, total = 0, 1
        while offset < total:
            page = self._ask(subject, {"offset": offset})
            found = page.get(entries) or []
            yield from found
            offset, total = offset + len(found), page["total"] if found else 0


def answered(payload: bytes) -> dict[str, Any]:
    """The API's answer.

    Raises:
        ApiError: it is an error.
    """
    answer: dict[str, Any] = json.loads(payload)
    if error := answer.get("error"):
        raise ApiError(error.get("err_code", error["code"]), error.get("description", "no description"))
    return answer


def _is_durable(consumer: Mapping[str, Any]) -> bool:
    """Whether it stays while nobody uses it."""
    return bool(consumer.get("durable_name")) and not consumer.get("inactive_threshold")


def _store_limits(monitor_url: str | None) -> dict[str, int]:
    """The server's reservations, for an account without limits of its own; nothing if it is not told."""
    jsz = fetch(monitor_url, ["/jsz"])["/jsz"].body if monitor_url else {}
    if "config" not in jsz:
        return {}
    names = {kind: f"reserved_{kind}" for kind in ("storage", "memory")}
    return {f"max_{kind}": jsz["config"][f"max_{kind}"] for kind in names} | {
        name: jsz[name] for name in names.values()
    }

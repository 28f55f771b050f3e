"""JetStream's own snapshots: a stream's configuration, messages and consumers as one archive.

The server sends an archive in numbered chunks and waits for acknowledgements once a window is
full; a message without data ends it, with a status if something went wrong. Back it goes chunk
by chunk, each answered, and an empty one ends it. Source: nats-server's streamSnapshot and
processStreamRestore (server/jetstream_api.go).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from provisioner.errors import BackupError
from provisioner.jetstream.answers import answered
from provisioner.jetstream.client import JetStream
from provisioner.jetstream.timeouts import seconds
from provisioner.jetstream.transfer import Part, Transfer

CHUNK_BYTES: Final = 256 * 1024
_WINDOW_BYTES: Final = 32 * CHUNK_BYTES
# How long to wait for a chunk or its answer, and for the server to finish a stream that was sent whole.
IDLE_TIMEOUT_S: Final = seconds("STREAMS_IDLE_TIMEOUT", 30.0)
_FINISH_TIMEOUT_S: Final = 600.0
# How long a restore may go unheard: servers of a cluster tell each other who listens to what.
_HEARD_TIMEOUT_S: Final = 5.0
_HEARD_PAUSE_S: Final = 0.05
_DONE: Final = ("", "204")
_GONE: Final = "503"


@dataclass(frozen=True)
class Snapshot:
    """What the server says of the stream that an archive holds, in its own words."""

    config: Mapping[str, Any]
    state: Mapping[str, Any]


def take(client: JetStream, stream: str, write: Callable[[bytes], object]) -> Snapshot:
    """Hand a stream's archive to ``write``, a chunk at a time.

    Raises:
        BackupError: the archive is not whole.
        ProvisionerError: no answer for IDLE_TIMEOUT_S seconds, a lost connection, a refusal.
    """
    with client.connection.transfer() as transfer:
        sizes = {"chunk_size": CHUNK_BYTES, "window_size": _WINDOW_BYTES}
        answer = client.snapshot({"deliver_subject": transfer.inbox, "jsck": True, **sizes}, stream)
        for chunk in _chunks(transfer):
            write(chunk)
    return Snapshot(answer["config"], answer["state"])


def give(client: JetStream, subject: str, chunks: Iterable[bytes]) -> Mapping[str, Any]:
    """Send an archive to the subject that ``JetStream.restore`` returned; the state the stream then has.

    Raises:
        BackupError: the server gave up.
        ProvisionerError: no answer for IDLE_TIMEOUT_S seconds, a lost connection, a refusal.
    """
    with client.connection.transfer() as transfer:
        try:
            for number, chunk in enumerate(chunks):
                (_sent if number else _first_sent)(transfer, subject, chunk, IDLE_TIMEOUT_S)
            return dict(_sent(transfer, subject, b"", _FINISH_TIMEOUT_S)["state"])
        except BaseException:
            client.connection.publish(subject)  # a chunk that asks for no answer makes the server stop at once
            raise


def _chunks(transfer: Transfer) -> Iterator[bytes]:
    """Every chunk up to the end; the next is asked for only once the last has been dealt with."""
    number = 1
    while data := (part := transfer.receive(IDLE_TIMEOUT_S)).data:
        _refuse_gap(part, number)
        yield data
        transfer.acknowledge(part)
        number += 1
    if part.status not in _DONE:
        raise BackupError(f"the server stopped: {part.status}")


def _refuse_gap(part: Part, number: int) -> None:
    """An acknowledgement's subject ends in the chunk's size and number; the last chunk wants none."""
    if part.reply and part.reply.split(".")[-2:] != [str(len(part.data)), str(number)]:
        raise BackupError(f"chunk {number} was lost on the way")


def _first_sent(transfer: Transfer, subject: str, chunk: bytes, timeout: float) -> dict[str, Any]:
    """Send it again while nobody gets it: in a cluster, a server hears a moment later that another one listens."""
    deadline = time.monotonic() + _HEARD_TIMEOUT_S
    while True:
        try:
            return _sent(transfer, subject, chunk, timeout)
        except BackupError:
            if time.monotonic() > deadline:
                raise
        time.sleep(_HEARD_PAUSE_S)


def _sent(transfer: Transfer, subject: str, chunk: bytes, timeout: float) -> dict[str, Any]:
    transfer.send(subject, chunk)
    answer = transfer.receive(timeout)
    if answer.status.startswith(_GONE):
        raise BackupError("the server gave up waiting")
    return answered(answer.data) if answer.data else {}

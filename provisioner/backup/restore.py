"""Restores: a backed-up stream back on a server, compared with what it was."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from provisioner.backup.archive import ARCHIVE, Manifest, load, one_line
from provisioner.backup.progress import Progress
from provisioner.errors import NAME_IN_USE_AT_RESTORE, ApiError, BackupError, JetStreamOff, Unreachable
from provisioner.jetstream.client import JetStream
from provisioner.jetstream.snapshots import CHUNK_BYTES, give
from provisioner.rules.subjects import released
from provisioner.schema.model import StreamInfo
from provisioner.units import parse_time

# How long to wait for a server that went away half-way, and between two attempts.
RETURN_TIMEOUT_S: Final = 15.0
_RETRY_PAUSE_S: Final = 0.2
# nats-server removes a deleted stream's files after its answer. If the name is deleted twice before that, the files of
# the second stay, and the next stream of the name begins with them.
_LEFTOVERS: Final = "expected sequence does not match store"

_LOG: Final = logging.getLogger(__name__)


def restore(client: JetStream, folder: Path, progress: Progress) -> StreamInfo:
    """Bring the stream of one backup back, with its messages and consumers.

    Raises:
        BackupError: with the reason. A stream of that name is untouched unless it is empty; a stream
            restored in part is deleted, unless the text says otherwise.
    """
    manifest = load(folder)
    _LOG.info("%s: restore from %s begins: %d messages", manifest.name, folder, manifest.messages)
    with one_line(f"{manifest.name}: not restored"):
        _make_room(client, manifest.name)
        subject = client.restore({"config": manifest.config, "state": manifest.state}, manifest.name)
        with _withdrawn_on_error(client, manifest):
            chunk_bytes = min(CHUNK_BYTES, client.connection.max_payload)
            state = give(client, subject, _chunks(manifest, folder, chunk_bytes, progress))
    with one_line(f"{manifest.name}: restored, but not as it was"):
        info = _compared(client, manifest, state)
    _LOG.info("%s: restore complete: %d messages", manifest.name, info.messages)
    return info


def _make_room(client: JetStream, name: str) -> None:
    """Delete an empty stream of the name, as `up` has just made it; leave any other.

    Its subjects are released first, so that no message is acknowledged between the last look and the delete.
    """
    info = client.stream(name)
    if not info:
        return
    _refuse_unless_empty(info)
    if info.config["subjects"]:
        client.update({**info.config, "subjects": [released(name)]})
    try:
        _refuse_unless_empty(client.stream(name))
    except BackupError:
        client.update(info.config)
        raise
    _LOG.info("%s: the empty stream on the server gives way", name)
    client.delete(name)


def _refuse_unless_empty(info: StreamInfo | None) -> None:
    if info and (info.messages or info.consumers):
        raise BackupError("a stream of that name is on the server; it is left as it is")


def _chunks(manifest: Manifest, folder: Path, chunk_bytes: int, progress: Progress) -> Iterator[bytes]:
    with (folder / ARCHIVE).open("rb") as archive:
        while chunk := archive.read(chunk_bytes):
            yield chunk
            progress(manifest.name, archive.tell(), manifest.bytes)


@contextmanager
def _withdrawn_on_error(client: JetStream, manifest: Manifest) -> Iterator[None]:
    """After an error the server keeps, and opens for use, what it has of the stream: delete that."""
    try:
        yield
    except ApiError as error:
        if _LEFTOVERS in str(error):
            _withdraw(client, manifest, error)
            raise BackupError(f"{error}: files of a stream deleted just before are in the way; try again") from error
        if f"({NAME_IN_USE_AT_RESTORE})" not in str(error):  # the code may be inside another error's words
            _withdraw(client, manifest, error)
        raise
    except BaseException as error:
        _withdraw(client, manifest, error)
        raise


def _withdraw(client: JetStream, manifest: Manifest, error: BaseException) -> None:
    """Delete the part that was restored; wait for a server that is starting again."""
    deadline = time.monotonic() + RETURN_TIMEOUT_S
    while True:
        try:
            _delete_partial(client, manifest)
        except (Unreachable, JetStreamOff):
            if time.monotonic() > deadline:
                text = f"{error}; a part of it may be on the server: delete {manifest.name} before you try again"
                raise BackupError(text) from error
            time.sleep(_RETRY_PAUSE_S)
        else:
            _LOG.info("%s: restored in part, deleted again", manifest.name)
            return


def _delete_partial(client: JetStream, manifest: Manifest) -> None:
    """Delete the stream; one that has anything newer than the backup is in use."""
    info = client.stream(manifest.name)
    if info and info.messages and parse_time(info.last_time) > parse_time(manifest.state["last_ts"]):
        raise BackupError("cut short, and new messages have arrived since: the incomplete stream is left as it is")
    client.delete(manifest.name)


def _compared(client: JetStream, manifest: Manifest, state: Mapping[str, Any]) -> StreamInfo:
    info, floors = client.stream(manifest.name), client.ack_floors(manifest.name)
    if not info:
        raise BackupError("it was deleted meanwhile")
    least = manifest.messages - manifest.removed
    if state["messages"] < least and not may_have_expired(manifest):
        raise BackupError(f"{state['messages']:,} of {least:,} messages are there")
    if behind := sorted(name for name, floor in manifest.consumers.items() if floors.get(name, -1) < floor):
        raise BackupError(f"consumers that are missing or behind: {', '.join(behind)}")
    return info


def may_have_expired(manifest: Manifest) -> bool:
    """Whether messages of the backup can have outlived their age by now."""
    age = time.time_ns() - parse_time(manifest.state["first_ts"])
    max_age = manifest.config.get("max_age", 0)
    return bool(manifest.config.get("allow_msg_ttl") or (max_age and age > max_age))

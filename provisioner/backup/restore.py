"""Restores: a backed-up stream back on a server, compared with what it was."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from provisioner.backup.archive import ARCHIVE, Backup, Progress, load, one_line
from provisioner.errors import NAME_IN_USE_AT_RESTORE, ApiError, BackupError, JetStreamOff, Unreachable
from provisioner.jetstream.client import JetStream
from provisioner.jetstream.snapshots import CHUNK, give
from provisioner.schema.model import StreamInfo

# Seconds to wait for a server that went away half-way, and between two looks whether it is back.
RETURN: Final = 15.0
_PAUSE: Final = 0.2
# nats-server removes a deleted stream's files after its answer. If the name is deleted twice before that, the files of
# the second stay, and the next stream of the name begins with them.
_LEFTOVERS: Final = "expected sequence does not match store"


def restore(client: JetStream, folder: Path, progress: Progress) -> StreamInfo:
    """Bring the stream of one backup back, with its messages and consumers.

    Raises:
        BackupError: with the reason. A stream of that name is untouched unless it is empty; one half
            restored does not stay, unless the text says so.
    """
    saved = load(folder)
    with one_line(f"{saved.name}: not restored"):
        _make_room(client, saved)
        subject = client.restore({"config": saved.config, "state": saved.state}, saved.name)
        with _withdrawn(client, saved):
            state = give(client, subject, _read(saved, folder, min(CHUNK, client.connection.max_payload), progress))
    with one_line(f"{saved.name}: restored, but not as it was"):
        return _compared(client, saved, state)


def _make_room(client: JetStream, saved: Backup) -> None:
    """An empty stream of the name, as `up` has just made it, gives way; any other stays.

    Its subjects are released first, so that no message is acknowledged between the last look and the delete.
    """
    live = client.stream(saved.name)
    if not live:
        return
    _refuse_unless_empty(live)
    if live.config["subjects"]:
        client.update({**live.config, "subjects": [f"_released.{saved.name}"]})
    try:
        _refuse_unless_empty(client.stream(saved.name))
    except BackupError:
        client.update(live.config)
        raise
    client.delete(saved.name)


def _refuse_unless_empty(live: StreamInfo | None) -> None:
    if live and (live.messages or live.consumers):
        raise BackupError("a stream of that name is on the server; it is left as it is")


def _read(saved: Backup, folder: Path, size: int, progress: Progress) -> Iterator[bytes]:
    with (folder / ARCHIVE).open("rb") as archive:
        while chunk := archive.read(size):
            yield chunk
            progress(saved.name, archive.tell(), saved.bytes)


@contextmanager
def _withdrawn(client: JetStream, saved: Backup) -> Iterator[None]:
    """After a failure the server keeps, and opens for use, what it has of the stream: delete that."""
    try:
        yield
    except ApiError as error:
        if _LEFTOVERS in str(error):
            _withdraw(client, saved, error)
            raise BackupError(f"{error}: files of a stream deleted just before are in the way; try again") from error
        if f"({NAME_IN_USE_AT_RESTORE})" not in str(error):  # the code may be inside another error's words
            _withdraw(client, saved, error)
        raise
    except BaseException as error:
        _withdraw(client, saved, error)
        raise


def _withdraw(client: JetStream, saved: Backup, error: BaseException) -> None:
    deadline = time.monotonic() + RETURN
    while True:
        try:
            _delete_partial(client, saved)
        except (Unreachable, JetStreamOff):  # it may be starting again
            if time.monotonic() > deadline:
                text = f"{error}; a part of it may be on the server: delete {saved.name} before you try again"
                raise BackupError(text) from error
            time.sleep(_PAUSE)
        else:
            return


def _delete_partial(client: JetStream, saved: Backup) -> None:
    """A stream that has anything newer than the backup is in use."""
    live = client.stream(saved.name)
    if live and live.messages and _instant(live.last_time) > _instant(saved.state["last_ts"]):
        raise BackupError("cut short, and new messages have arrived since: the incomplete stream is left as it is")
    client.delete(saved.name)


def _compared(client: JetStream, saved: Backup, state: Mapping[str, Any]) -> StreamInfo:
    live, floors = client.stream(saved.name), client.ack_floors(saved.name)
    if not live:
        raise BackupError("it is gone again")
    least = saved.messages - saved.removed
    if state["messages"] < least and not _expires(saved):
        raise BackupError(f"{state['messages']:,} of {least:,} messages are there")
    if behind := sorted(name for name, floor in saved.consumers.items() if floors.get(name, -1) < floor):
        raise BackupError(f"consumers that are missing or behind: {', '.join(behind)}")
    return live


def _expires(saved: Backup) -> bool:
    """Whether messages of the backup can have outlived their age by now."""
    age = timedelta(microseconds=saved.config.get("max_age", 0) / 1000)
    oldest = _instant(saved.state["first_ts"])
    return bool(saved.config.get("allow_msg_ttl") or (age and datetime.now(UTC) - oldest > age))


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)

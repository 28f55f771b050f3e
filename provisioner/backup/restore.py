"""Restores: a backed-up stream back on a server, compared with what it was.

Until it is whole, the stream on the server carries a mark and captures no subjects (``rules.restore_mark``):
a restore that is cut short, however, can be begun anew, and nobody takes its part for the whole.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from provisioner.backup.archive import ARCHIVE, Manifest, load, one_line
from provisioner.backup.completeness import compared
from provisioner.backup.progress import Progress
from provisioner.errors import NAME_IN_USE_AT_RESTORE, ApiError, BackupError, JetStreamOff, Unreachable
from provisioner.jetstream.client import NO_FOLDER, JetStream
from provisioner.jetstream.snapshots import CHUNK_BYTES, give
from provisioner.rules.restore_mark import RestoreMark, mark_of, marked
from provisioner.rules.subjects import overlap, released
from provisioner.schema.model import StreamInfo
from provisioner.units import parse_time

# How long to wait for a server that went away half-way, and between two attempts.
RETURN_TIMEOUT_S: Final = 15.0
_RETRY_PAUSE_S: Final = 0.2
# nats-server removes the folder of an account's last stream after it has answered that the stream is gone.
_STORE_TIMEOUT_S: Final = 5.0
# A part that grows within this time is being restored by somebody else.
_GROWTH_PAUSE_S: Final = 1.0
# nats-server removes a deleted stream's files after its answer. If the name is deleted twice before that, the files of
# the second stay, and the next stream of the name begins with them.
_LEFTOVERS: Final = "expected sequence does not match store"
_DELETE_FIRST: Final = "delete them first; make up makes those of the catalogue again"
_PASSING: Final = (NO_FOLDER, _LEFTOVERS)

# nats-server gives up on a restore whose next chunk it does not come to within 5 seconds: it syncs each message.
_GAVE_UP: Final = "closed pipe"
_WHY_IT_GAVE_UP: Final = (
    "the server syncs every message (sync_interval always) and has given up after 5 s; "
    "set syncInterval to 2m for this, then always again"
)

_LOG: Final = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Successor:
    """Another stream that a backup's messages and consumers are restored to.

    Attributes:
        config: its raw configuration, name included; without subjects until somebody gives it some.
        removed: how many of the messages its configuration does not keep, at most.
        on_whole: told of it, and of its raw state, once it holds everything and before it loses its mark; an error
            withdraws it.
    """

    config: Mapping[str, Any]
    removed: int
    on_whole: Callable[[StreamInfo, Mapping[str, Any]], None]


def restore(client: JetStream, folder: Path, progress: Progress, successor: Successor | None = None) -> StreamInfo:
    """Bring the stream of one backup back, with its messages and consumers.

    Args:
        client: the server.
        folder: the backup.
        progress: told how far it is.
        successor: what to restore it as, if not as it was.

    Raises:
        BackupError: with the reason. A stream of that name is untouched unless it is empty, or a part
            of this backup; a stream restored in part is deleted, unless the text says otherwise.
    """
    manifest = _of_successor(load(folder), successor)
    deadline = time.monotonic() + _STORE_TIMEOUT_S
    while True:
        try:
            return _attempt(client, manifest, folder, progress, successor)
        except BackupError as error:
            if not any(text in str(error) for text in _PASSING) or time.monotonic() > deadline:
                raise
        time.sleep(_RETRY_PAUSE_S)


def _attempt(
    client: JetStream, manifest: Manifest, folder: Path, progress: Progress, successor: Successor | None
) -> StreamInfo:
    mark = _new_mark(manifest, folder, carries=successor is not None)
    _LOG.info("%s: restore from %s begins: %d messages", manifest.name, folder, manifest.messages)
    with one_line(f"{manifest.name}: not restored"):
        _make_room(client, manifest)
        _require_free_subjects(client, manifest)
        config = marked(manifest.config, mark)
        subject = client.restore({"config": config, "state": manifest.state}, manifest.name)
        with _withdrawn_on_error(client, manifest, mark):
            chunk_bytes = min(CHUNK_BYTES, client.connection.max_payload)
            state = give(client, subject, _chunks(manifest, folder, chunk_bytes, progress))
            if successor:
                _when_back(lambda: successor.on_whole(compared(client, manifest, state), state))
            _when_back(lambda: client.reconfigure(manifest.config))
    with one_line(f"{manifest.name}: restored, but not as it was"):
        info = compared(client, manifest, state)
    _LOG.info("%s: restore complete: %d messages", manifest.name, info.messages)
    return info


def _of_successor(manifest: Manifest, successor: Successor | None) -> Manifest:
    if not successor:
        return manifest
    return replace(manifest, config=successor.config, removed=manifest.removed + successor.removed)


def _new_mark(manifest: Manifest, folder: Path, *, carries: bool) -> RestoreMark:
    return RestoreMark(
        copy=str(folder.resolve()),
        sha256=manifest.sha256,
        messages=manifest.messages,
        restore=uuid.uuid4().hex,
        carries=carries,
    )


def _make_room(client: JetStream, manifest: Manifest) -> None:
    """Delete what an earlier restore of this backup has left, or an empty stream as `up` has just made it."""
    info = client.stream(manifest.name)
    if not info:
        return
    if mark := mark_of(info.config):
        _remove_part(client, manifest, mark)
    else:
        _remove_empty(client, info, manifest)


def _remove_part(client: JetStream, manifest: Manifest, mark: RestoreMark) -> None:
    """Delete a part of the same backup that nobody adds to."""
    if mark.sha256 != manifest.sha256:
        raise BackupError(f"a part of another backup is on the server: run {mark.command}, or delete the stream")
    before = client.state(manifest.name)
    time.sleep(_GROWTH_PAUSE_S)
    # A mirror that has more than the backup grows by what its origin gets.
    if (
        before["last_seq"] <= manifest.state["last_seq"]
        and client.state(manifest.name)["last_seq"] > before["last_seq"]
    ):
        raise BackupError("it is being restored just now; wait for the end of that restore")
    _LOG.info("%s: the part of an earlier restore gives way: %d messages", manifest.name, before["messages"])
    _delete_part(client, manifest, mark)


def _remove_empty(client: JetStream, info: StreamInfo, manifest: Manifest) -> None:
    """Delete a stream without messages, whose consumers the backup brings back; leave any other.

    Its subjects are released first, so that no message is acknowledged between the last look and the delete.
    """
    _refuse_unless_empty(client, info, manifest)
    name = info.config["name"]
    if info.config["subjects"]:
        client.update({**info.config, "subjects": [released(name)]})
    try:
        _refuse_unless_empty(client, client.stream(name), manifest)
    except BackupError:
        client.update(info.config)
        raise
    _LOG.info("%s: the empty stream on the server gives way", name)
    client.delete(name)


def _refuse_unless_empty(client: JetStream, info: StreamInfo | None, manifest: Manifest) -> None:
    if info and info.messages:
        raise BackupError("a stream of that name is on the server; it is left as it is")
    present = {each["name"] for each in client.consumers(manifest.name)} if info and info.consumers else set()
    if others := ", ".join(sorted(present - manifest.consumers.keys())):
        raise BackupError(
            f"the stream on the server has consumers that the backup does not ({others}); {_DELETE_FIRST}"
        )


def _require_free_subjects(client: JetStream, manifest: Manifest) -> None:
    """Known before the archive is sent: the stream gets its subjects in the end."""
    for name, info in client.streams().items():
        for subject in manifest.config.get("subjects") or ():
            if name != manifest.name and any(overlap(subject, other) for other in info.config["subjects"]):
                raise BackupError(f"its subjects overlap with those of stream {name}: {subject}")


def _chunks(manifest: Manifest, folder: Path, chunk_bytes: int, progress: Progress) -> Iterator[bytes]:
    with (folder / ARCHIVE).open("rb") as archive:
        while chunk := archive.read(chunk_bytes):
            yield chunk
            progress(manifest.name, archive.tell(), manifest.bytes)


@contextmanager
def _withdrawn_on_error(client: JetStream, manifest: Manifest, mark: RestoreMark) -> Iterator[None]:
    """After an error the server keeps what it has of the stream: delete that."""
    try:
        yield
    except ApiError as error:
        if _GAVE_UP in str(error):
            _withdraw(client, manifest, mark, error)
            raise BackupError(f"{error}: {_WHY_IT_GAVE_UP}") from error
        if _LEFTOVERS in str(error):
            _withdraw(client, manifest, mark, error)
            raise BackupError(f"{error}: files of a stream deleted just before are in the way; try again") from error
        if f"({NAME_IN_USE_AT_RESTORE})" not in str(error):  # the code may be inside another error's words
            _withdraw(client, manifest, mark, error)
        raise
    except BaseException as error:
        _withdraw(client, manifest, mark, error)
        raise


def _withdraw(client: JetStream, manifest: Manifest, mark: RestoreMark, error: BaseException) -> None:
    """Delete the part that was restored."""
    try:
        _when_back(lambda: _delete_part(client, manifest, mark))
    except (Unreachable, JetStreamOff):
        text = f"{error}; a part of it may be on the server: once it answers, run {mark.command}"
        raise BackupError(text) from error
    _LOG.info("%s: restored in part, deleted again", manifest.name)


def _when_back(request: Callable[[], object]) -> None:
    """Make a request that may be made twice; wait for a server that is starting again."""
    deadline = time.monotonic() + RETURN_TIMEOUT_S
    while True:
        try:
            request()
        except (Unreachable, JetStreamOff):
            if time.monotonic() > deadline:
                raise
            time.sleep(_RETRY_PAUSE_S)
        else:
            return


def _delete_part(client: JetStream, manifest: Manifest, mark: RestoreMark) -> None:
    """Delete what one restore has made; never a stream with a message that the backup does not have."""
    info = client.stream(manifest.name)
    if not info or mark_of(info.config) != mark:
        return  # another restore's, or somebody else's
    state = client.state(manifest.name)
    if info.messages and _has_newer(state, manifest.state) and not _origin_has(client, info, state, manifest.state):
        raise BackupError(
            "a part of it is on the server, with messages that are not in the backup: it is left as it is; "
            f"back it up or read them, delete the stream, then run {mark.command}"
        )
    client.delete(manifest.name)


def _has_newer(state: Mapping[str, Any], saved: Mapping[str, Any]) -> bool:
    return state["last_seq"] > saved["last_seq"] or parse_time(state["last_ts"]) > parse_time(saved["last_ts"])


def _origin_has(client: JetStream, info: StreamInfo, part: Mapping[str, Any], saved: Mapping[str, Any]) -> bool:
    """Whether a mirror got what is newer from a stream that still has all of it, at the same sequences."""
    mirror = info.config["mirror"]
    if not mirror or mirror.get("external") or not client.stream(mirror["name"]):
        return False
    origin = client.state(mirror["name"])
    reaches = origin["first_seq"] <= saved["last_seq"] + 1 and part["last_seq"] <= origin["last_seq"]
    return reaches and not origin.get("num_deleted")

"""A stream that the state has and its server does not: deleted by somebody, or not opened by the server.

nats-server writes a stream's configuration and then its checksum. Killed in between, it does not open the
stream when it starts again, and its files stay. Made again as it was, the stream has what is in them; its
consumers come back when the server starts the next time. That start opens it only if it was updated
since: creating it does not write the checksum (seen with 2.15.1).
"""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import Final

from provisioner.errors import ApiError, Conflict, Refused
from provisioner.log import tell
from provisioner.plan.policies import marked as owned
from provisioner.reconcile.carry import folder_of
from provisioner.reconcile.context import Context
from provisioner.reconcile.intake import update
from provisioner.rules.intake import is_closed
from provisioner.rules.reopen_mark import ReopenMark, mark_of, marked
from provisioner.schema.config import with_fields
from provisioner.schema.model import StreamInfo, StreamSpec
from provisioner.text import counted

MISSING: Final = "missing: deleted by somebody, or not opened by the server after a crash"

_LOG: Final = logging.getLogger(__name__)


def reopened(context: Context, spec: StreamSpec, name: str) -> StreamInfo | None:
    """A missing stream as its files have it, without subjects; None where there are none.

    Args:
        context: the server and the run.
        spec: the stream as it is wanted, or the one that takes it over.
        name: what the state calls it.
    """
    before, created = context.run.config(name), context.run.created(name)
    if not (before and created) or before["storage"] == "memory" or _is_renamed(context, created):
        return None  # not in the state, or gone with its server, or under another name
    mark = ReopenMark(created, context.client().connection.server_start)
    config = owned(spec, marked(before, mark))
    try:
        context.client().create(config)
        info = context.client().update(config)
    except (ApiError, Refused) as error:
        _LOG.info("%s is missing, and cannot be made as it was: %s", name, error)
        return context.server.current(name)
    if not context.client().state(name)["last_seq"]:
        context.client().delete(name)
        return context.server.remember(name, None)
    folder_of(context, name).note_successor(created, info.created)
    context.run.on_created_known(name, info.created)
    tell(f"{name} was missing, and is there again with {counted(info.messages, 'message')} from the server's files")
    return context.server.remember(name, info)


def missing_notes(context: Context, name: str, fate: str) -> tuple[str, ...]:
    """What becomes of a stream of the state that the server does not have, for the plan."""
    data = context.run.data(name)
    if not data or data.store != context.server.store or not context.run.created(name):
        return ()
    return (f"{name} is {MISSING}: up {fate}",)


def note_reopened(context: Context, info: StreamInfo | None) -> None:
    """Know a missing stream that a run has made again which was killed before it could write that down."""
    if info and (mark := mark_of(info.config)) and mark.created == context.run.created(info.config["name"]):
        context.run.on_created_known(info.config["name"], info.created)


def consumers_problem(context: Context, info: StreamInfo) -> str | None:
    """Why a stream cannot be copied: it was made again since the server's start, which has not read its consumers."""
    if not (mark := mark_of(info.config)) or mark.server_start != context.client().connection.server_start:
        return None
    return (
        f"{info.config['name']} was not opened by the server after a crash, and its consumers come back when the "
        "server starts again: restart it before a change that needs a new stream"
    )


def require_consumers(context: Context, info: StreamInfo) -> None:
    """Let a stream take in what it did before, if it cannot be copied.

    Raises:
        Conflict: it cannot.
    """
    if not (problem := consumers_problem(context, info)):
        return
    before = context.run.config(info.config["name"])
    if before and is_closed(info.config):
        with suppress(ApiError):  # other streams may have its subjects by now
            update(context, with_fields(info.config, {key: before[key] for key in ("subjects", "sources")}))
    raise Conflict(problem)


def _is_renamed(context: Context, created: str) -> bool:
    return any(info.created == created for info in context.server.streams().values())

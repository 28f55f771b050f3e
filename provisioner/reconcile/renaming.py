"""A stream under another name (``renamed_from``): the new one takes the messages and consumers of the old one over."""

from __future__ import annotations

from collections.abc import Iterator

from provisioner.plan.diff import Effect, Plan, as_named, plan
from provisioner.reconcile.carry import folder_of, folders_before
from provisioner.reconcile.context import Context
from provisioner.schema.model import StreamInfo, StreamSpec


def note_successor(context: Context, spec: StreamSpec, info: StreamInfo | None) -> None:
    """Know a stream again that a run has renamed or moved which was killed before the state had it."""
    if info and any(folder.has_successor(info) for folder in folders_before(context, spec)):
        context.run.on_created_known(spec.name, info.created)


def predecessor(context: Context, spec: StreamSpec, info: StreamInfo | None) -> StreamInfo | None:
    """The stream to carry over under the new name, as it was a moment ago; None where that is done or not to be."""
    old = context.server.seen(spec.renamed_from) if spec.renamed_from else None
    is_done = info is not None and old is not None and folder_of(context, spec.renamed_from).has_successor(info)
    return old if old and not is_done and (not old.is_empty or not info) else None


def plan_renaming(spec: StreamSpec, old: StreamInfo) -> Plan:
    """What the new stream changes beside the name."""
    return plan(as_named(old.config, spec.name), spec.config)


def renaming_problems(context: Context, spec: StreamSpec, old: StreamInfo, info: StreamInfo | None) -> Iterator[str]:
    """Why the old stream cannot become the new one.

    Args:
        context: the server and the run.
        spec: the new stream.
        old: the old one.
        info: what has the new name already.
    """
    planned = plan_renaming(spec, old)
    if info and not info.is_empty:
        yield f"renamed_from: {spec.name} and {spec.renamed_from} both hold messages or have consumers; take it out"
    if not context.run.is_ours(spec.renamed_from, old):
        yield f"renamed_from: {spec.renamed_from} is not this stack's stream; import it first, or rename it by hand"
    if planned.effect is Effect.REPLACE:
        yield f"renamed_from: messages cannot be carried through a change of {', '.join(planned.replaces)}"
    yield from map(str, planned.problems)

"""The permissions that each kind of work needs, and those that this user lacks, for the plan.

Without them the server would refuse in the middle of an up. Nobody is asked for permissions on a server of the stack's
own, which has given them itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Final, TypeAlias

from provisioner.errors import ProvisionerError
from provisioner.jetstream.address import api
from provisioner.plan.diff import Effect, plan
from provisioner.plan.policies import unmarked
from provisioner.reconcile.context import Context
from provisioner.reconcile.loss_approval import may_lose
from provisioner.reconcile.renaming import predecessor
from provisioner.reconcile.safety_backup import folder_for
from provisioner.reconcile.verdict import Verdict, together
from provisioner.rules.permissions import UNLIMITED
from provisioner.schema.model import OnDelete, StreamInfo, StreamSpec


class Work(Enum):
    """What is done with a stream, in the words of docs/external.md."""

    PLAN = "every run"
    COUNT = "how many messages a shorter max_age deletes"
    CREATE = "a new stream"
    UPDATE = "an update"
    DELETE = "deleting"
    COPY = "a copy"
    RESTORE = "bringing a copy back"
    CONSUMER = "a new or changed consumer of the catalogue, and one that leaves it"


@dataclass(frozen=True)
class Need:
    """A subject to publish to.

    Attributes:
        work: what for.
        subject: below the API's prefix; from the root if it begins with ``$``.
    """

    work: Work
    subject: str


NEEDS: Final = (
    Need(Work.PLAN, "INFO"),
    Need(Work.PLAN, "STREAM.LIST"),
    Need(Work.PLAN, "STREAM.INFO.{stream}"),
    Need(Work.PLAN, "CONSUMER.LIST.{stream}"),
    Need(Work.COUNT, "STREAM.MSG.GET.{stream}"),
    Need(Work.CREATE, "STREAM.INFO.{stream}"),
    Need(Work.CREATE, "STREAM.CREATE.{stream}"),
    Need(Work.UPDATE, "STREAM.INFO.{stream}"),
    Need(Work.UPDATE, "STREAM.UPDATE.{stream}"),
    Need(Work.DELETE, "STREAM.INFO.{stream}"),
    Need(Work.DELETE, "STREAM.DELETE.{stream}"),
    Need(Work.COPY, "CONSUMER.LIST.{stream}"),
    Need(Work.COPY, "STREAM.SNAPSHOT.{stream}"),
    Need(Work.COPY, "$JS.SNAPSHOT.ACK.{stream}.*.*.*"),
    Need(Work.RESTORE, "STREAM.RESTORE.{stream}"),
    Need(Work.RESTORE, "$JS.SNAPSHOT.RESTORE.{stream}.*"),
    Need(Work.CONSUMER, "CONSUMER.INFO.{stream}.*"),
    Need(Work.CONSUMER, "CONSUMER.CREATE.{stream}.>"),
    Need(Work.CONSUMER, "CONSUMER.DELETE.{stream}.*"),
    Need(Work.CONSUMER, "CONSUMER.PAUSE.{stream}.*"),
    Need(Work.CONSUMER, "CONSUMER.RESET.{stream}.*"),
)
# The server says itself that a message may be acknowledged, where it lets the user answer.
_ANSWERS: Final = "$JS.SNAPSHOT.ACK."
_TRANSFERS: Final = {Work.COPY, Work.RESTORE}

Job: TypeAlias = tuple[Work, str]


def missing_permissions(context: Context, spec: StreamSpec, info: StreamInfo | None) -> Verdict:
    """What this user may not do of what the plan of a stream needs.

    Raises:
        Unreachable, Refused: the server cannot be asked.
    """
    return _verdict(context, _jobs(context, spec, info))


def missing_for_leaving(context: Context, info: StreamInfo, policy: OnDelete) -> Verdict:
    """The same for a stream that leaves the program."""
    name = str(info.config["name"])
    if policy is not OnDelete.RETAIN:
        return _verdict(context, [*_copied(context, info), (Work.DELETE, name)])
    return _verdict(context, [(Work.UPDATE, name)] if info.config != unmarked(info.config) else [])


def missing_for_moving(source: Context, target: Context, name: str) -> Verdict:
    """The same for a stream that moves from one server to another; nothing of one that cannot be asked."""
    out = [(Work.UPDATE, name), (Work.COPY, name), (Work.DELETE, name)]
    return together((_asked(source, out), _asked(target, [(Work.RESTORE, name), (Work.UPDATE, name)])))


def missing_for_values(context: Context, bucket: str, keys: Iterable[str]) -> Verdict:
    """The same for first values of a bucket."""
    permissions, connection = context.server.permissions(), context.client().connection
    wanted = (connection.permitted(context.client().rooted(f"$KV.{bucket}.{key}")) for key in sorted(keys))
    lacking = [subject for subject in wanted if not permissions.publish.permit(subject)]
    return Verdict(tuple(f"this user may not publish to {subject}; give it the permission" for subject in lacking))


def missing_for_consumer(context: Context, stream: str) -> Verdict:
    """The same for the consumers of a stream."""
    return _verdict(context, [(Work.CONSUMER, stream)])


def _asked(context: Context, jobs: list[Job]) -> Verdict:
    try:
        return _verdict(context, jobs)
    except ProvisionerError:
        return Verdict()


def _jobs(context: Context, spec: StreamSpec, info: StreamInfo | None) -> list[Job]:
    """The work on a stream, in order."""
    name = spec.name
    if old := predecessor(context, spec, info):
        before = str(old.config["name"])
        return [(Work.UPDATE, before), (Work.COPY, before), (Work.RESTORE, name), (Work.DELETE, before)]
    if info is None:
        return [(Work.CREATE, name)]
    carried = [(Work.UPDATE, name), (Work.COPY, name), (Work.RESTORE, name), (Work.DELETE, name)]
    by_effect: dict[Effect, list[Job]] = {
        Effect.UPDATE: [*(_copied(context, info) if may_lose(name) else ()), (Work.UPDATE, name)],
        Effect.CARRY: carried,
        Effect.REPLACE: [*_copied(context, info), (Work.DELETE, name), (Work.CREATE, name)],
    }
    return by_effect.get(plan(info.config, spec.config).effect, [])


def _copied(context: Context, info: StreamInfo) -> list[Job]:
    """The copy before messages are deleted, where the run makes one."""
    name = str(info.config["name"])
    return [(Work.UPDATE, name), (Work.COPY, name)] if info.messages and folder_for(context) else []


def _verdict(context: Context, jobs: Iterable[Job]) -> Verdict:
    lacking = dict.fromkeys(lack for work, stream in jobs for lack in _lacking(context, work, stream))
    return Verdict(tuple(f"this user may not {lack}; give it the permission" for lack in lacking))


def _lacking(context: Context, work: Work, stream: str) -> Iterator[str]:
    permissions = context.server.permissions()
    if permissions == UNLIMITED:
        return
    for subject in map(context.client().connection.permitted, subjects(work, stream, api(context.server.url))):
        answers = permissions.responses and subject.startswith(_ANSWERS)
        if not answers and not permissions.publish.permit(subject):
            yield f"publish to {subject}"
    inbox = f"{context.client().connection.inbox_prefix}.*"
    if work in _TRANSFERS and not permissions.subscribe.permit(inbox):
        yield f"subscribe to {inbox}"


def subjects(work: Work, stream: str, prefix: str) -> list[str]:
    """What has to be published for a stream's work.

    Args:
        work: the work.
        stream: the stream, or a wildcard.
        prefix: the API's.
    """
    wanted = [need.subject.format(stream=stream) for need in NEEDS if need.work is work]
    return [subject if subject.startswith("$") else f"{prefix}.{subject}" for subject in wanted]

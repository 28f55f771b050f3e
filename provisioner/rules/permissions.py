"""What a user may publish and subscribe to, by the lists that nats-server has of it: pure.

Source: nats-server's pubAllowedFullCheck and canSubscribe (server/client.go). What is denied is denied, whatever is
allowed beside it; without a list of what is allowed, everything else is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from provisioner.rules.subjects import contains


@dataclass(frozen=True)
class Lists:
    """Subjects with wildcards that are allowed and denied; without ``allow``, everything that is not denied.

    An entry ``subject queue`` is about members of a queue group only, which this program is none of.
    """

    allow: tuple[str, ...] | None = None
    deny: tuple[str, ...] = ()

    def permit(self, subject: str) -> bool:
        """Whether every message on a subject is permitted, or a subscription of that subject, wildcards and all."""
        allowed = self.allow is None or _covers(self.allow, subject)
        return allowed and not _covers(self.deny, subject)


@dataclass(frozen=True)
class Permissions:
    """A user's permissions; without lists, all of them.

    Attributes:
        publish: what it may publish to.
        subscribe: what it may subscribe to.
        responses: whether it may answer a message wherever that wants its answer.
    """

    publish: Lists = Lists()
    subscribe: Lists = Lists()
    responses: bool = False


UNLIMITED = Permissions()


def permissions_of(answer: Mapping[str, Any]) -> Permissions:
    """The permissions in the answer to ``$SYS.REQ.USER.INFO``; all of them where it cannot be read.

    What cannot be told is no reason to refuse anything: the server will.
    """
    data = answer.get("data")
    limits = data.get("permissions") if isinstance(data, Mapping) else None
    if not isinstance(limits, Mapping):
        return UNLIMITED
    return Permissions(_lists(limits.get("publish")), _lists(limits.get("subscribe")), bool(limits.get("responses")))


def _lists(limits: object) -> Lists:
    if not isinstance(limits, Mapping):
        return Lists()
    return Lists(_subjects(limits.get("allow")), _subjects(limits.get("deny")) or ())


def _subjects(entries: object) -> tuple[str, ...] | None:
    return tuple(map(str, entries)) if isinstance(entries, list) else None


def _covers(patterns: tuple[str, ...], subject: str) -> bool:
    return any(contains(pattern, subject) for pattern in patterns if " " not in pattern)

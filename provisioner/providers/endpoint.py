"""What holds for every resource on one server: where it is, and the policies of the run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi

from provisioner.schema.model import OnDelete


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """The server that streams are on.

    Attributes:
        url: where clients connect.
        monitor_url: its HTTP monitoring, for the storage it has left; None if there is none.
        ready: not known while the server has yet to be made: a preview then asks nobody.
        store: names the data behind the server; under another name, streams are made there anew.
    """

    url: str
    monitor_url: str | None = None
    ready: pulumi.Input[str] | None = None
    store: pulumi.Input[str] | None = None

    def properties(self) -> Mapping[str, Any]:
        """As far as there is something to say; data without a name of its own is that of the url."""
        given = {name: getattr(self, name) for name in Endpoint.__dataclass_fields__}
        store = None if self.store == self.url else self.store
        return {name: value for name, value in (given | {"store": store}).items() if value is not None}


@dataclass(frozen=True, kw_only=True)
class StreamOptions:
    """What holds for every stream of a run.

    Attributes:
        on_delete: the policy of a stream that has none of its own: guard, delete or retain.
        owner: project and stack, for streams with ``mark_owner``; another owner's mark is an error.
        backup_to: folder that a stream is written to before it loses messages.
    """

    on_delete: OnDelete = OnDelete.GUARD
    owner: str | None = None
    backup_to: str | None = None

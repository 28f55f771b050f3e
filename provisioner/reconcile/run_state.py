"""What one run of Pulumi knows of its own streams on one server.

Pulumi calls a provider for one resource at a time. What a stream's plan needs to know of the others
is gathered from the calls before it, so their order matters:

1. ``read``, for every stream in the state, then ``diff`` of what was read against the state, before the
   program runs (``refresh: always``).
2. ``check``, then ``diff`` where the stream is in the state. Several streams at once; none before
   every read. A replacement is checked a second time, with empty olds, after its diff.
3. ``create`` or ``update``, at the earliest when the stream's own check and diff are over; other
   streams may still be checked. A replacement is deleted before it is created.
4. ``delete`` of what left the program, after everything else.

A destroy refreshes and deletes, without a program and a check. ``tests/e2e/test_call_order.py`` holds
the engine to this.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path

from provisioner.catalogue.reader import load
from provisioner.schema.model import OnDelete, StreamInfo, StreamSpec


class RunState:
    """Names and policies of one run; written by Pulumi's calls, read by all plans.

    Attributes:
        backup_to: the stack's folder for copies of streams that lose messages.
        transferring: held while subjects move between streams.
    """

    def __init__(self) -> None:
        self.backup_to: str | None = None
        self.transferring = threading.RLock()
        self._policies: dict[str, OnDelete] = {}
        self._replacing: set[str] = set()
        self._made: set[str] = set()
        self._catalogue: tuple[str, str] | None = None

    def on_read(self, name: str, on_delete: OnDelete) -> None:
        """Note a stream of the state."""
        self._policies[name] = on_delete

    def on_check(self, name: str, on_delete: OnDelete | None, *, in_state: bool) -> None:
        """Note the policy that a stream of the state gets in this run."""
        if in_state and on_delete:
            self._policies[name] = on_delete

    def on_program(self, catalogue: str, owner: str) -> None:
        """Note which catalogue the program is about, and the stack that owns its streams."""
        self._catalogue = (catalogue, owner)

    def on_diff(self, name: str, *, replaces: bool) -> None:
        """Note a stream that is going to be deleted and created again."""
        if replaces:
            self._replacing.add(name)
        else:
            self._replacing.discard(name)

    def on_made(self, name: str) -> None:
        """Note a stream that another stream's change has created in this run."""
        self._made.add(name)

    def is_ours(self, name: str) -> bool:
        """Whether the state holds the stream, or this run has made it."""
        return name in self._policies or name in self._made

    def is_replaced(self, name: str) -> bool:
        """Whether the stream is deleted and created again in this run."""
        return name in self._replacing

    def catalogue(self) -> Mapping[str, StreamSpec]:
        """Every stream of the program, as it is wanted; empty while no program has run."""
        return _load(*self._catalogue) if self._catalogue else {}

    def gives_up(self, name: str, info: StreamInfo) -> bool:
        """Whether a stream will not keep its subjects: one of ours, with others wanted or to be deleted."""
        if self._catalogue is None:
            return False
        if name in self.catalogue():
            return self.is_ours(name)
        empty = not info.messages and not info.consumers
        return self._policies.get(name) in ({OnDelete.DELETE, OnDelete.GUARD} if empty else {OnDelete.DELETE})


@cache
def _load(path: str, owner: str) -> Mapping[str, StreamSpec]:
    return {spec.name: replace(spec, owner=owner) for spec in load(Path(path)).streams}

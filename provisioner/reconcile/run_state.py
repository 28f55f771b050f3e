"""What one run of Pulumi knows of its own streams on one server.

Pulumi calls a provider for one resource at a time. What a stream's plan needs to know of the others
is gathered from the calls before it, so their order matters:

1. ``read``, for every stream in the state, then ``diff`` of what was read against the state, before the
   program runs (``refresh: always``).
2. ``check`` of the estate, on which every other resource depends: it has the whole program, so
   nothing of the run has been touched when it refuses.
3. ``check``, then ``diff`` of a stream that is in the state. Several streams at once. A replacement
   is checked a second time, with empty olds, after its diff.
4. ``create`` or ``update``, at the earliest when the stream's own check and diff are over; other
   streams may still be checked. A replacement is deleted before it is created.
5. ``delete`` of what left the program, after everything else.

A destroy refreshes and deletes, without a program and a check. ``tests/e2e/test_call_order.py`` holds
the engine to this.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace

from provisioner.schema.model import OnDelete, StreamInfo, StreamSpec


@dataclass(frozen=True)
class Managed:
    """A stream of the state.

    Attributes:
        on_delete: its policy.
        created: tells it from another of the same name, None where it is not known.
        store: names the data that it is in, as the state has it.
    """

    on_delete: OnDelete
    created: str | None
    store: str | None = None

    def is_(self, info: StreamInfo) -> bool:
        """Whether this is the stream that is on the server."""
        return self.created in (None, info.created)


class RunState:
    """Names and policies of one run; written by Pulumi's calls, read by all plans.

    Attributes:
        backup_to: the stack's folder for copies of streams that lose messages.
        transferring: held while subjects move between streams.
        gate_passed: whether the estate has had every stream's preflight in this run.
        specs: every stream of the program as it is wanted; None while no program has run.
        store: the data of a server of the stack's own, as the state has it, and whether it goes with the server.
    """

    def __init__(self) -> None:
        self.backup_to: str | None = None
        self.transferring = threading.RLock()
        self.gate_passed = False
        self.specs: Mapping[str, StreamSpec] | None = None
        self.store: tuple[str, bool] | None = None
        self._checked = False
        self._managed: dict[str, Managed] = {}
        self._created: set[tuple[str, str]] = set()

    def on_read(self, name: str, on_delete: OnDelete, created: str | None, store: str | None = None) -> None:
        """Note a stream of the state."""
        self._managed[name] = Managed(on_delete, created, store)

    @property
    def managed(self) -> Mapping[str, Managed]:
        """The streams of the state, and what this run has added to them."""
        return self._managed

    def on_store_read(self, store: str, *, removed_with_server: bool) -> None:
        """Note the data of a server of the stack's own."""
        self.store = (store, removed_with_server)

    def on_program(self, specs: Mapping[str, StreamSpec]) -> None:
        """Note what the program wants; a destroy has none."""
        self.specs = specs

    def on_gate_passed(self) -> None:
        """Note that every stream of the program has had its preflight."""
        self.gate_passed = True

    def on_check(self, name: str, on_delete: OnDelete | None, *, in_state: bool) -> None:
        """Note the policy that a stream of the state gets in this run; a destroy checks nothing."""
        self._checked = True
        if in_state and on_delete:
            before = self._managed.get(name, Managed(on_delete, None))
            self._managed[name] = replace(before, on_delete=on_delete)

    def on_made(self, info: StreamInfo) -> None:
        """Note a stream that this run has created or taken over."""
        name = str(info.config["name"])
        before = self._managed.get(name, Managed(OnDelete.GUARD, None))
        self._managed[name] = replace(before, created=info.created)

    def on_created(self, info: StreamInfo) -> None:
        """Note a stream that Pulumi's ``create`` has made or taken over in this run, for whichever resource."""
        self._created.add((str(info.config["name"]), info.created))
        self.on_made(info)

    def has_created(self, info: StreamInfo) -> bool:
        """Whether the stream belongs to a resource that this up has created."""
        return self.is_up() and (str(info.config["name"]), info.created) in self._created

    def is_up(self) -> bool:
        """Whether a program runs: an up or a preview, no destroy."""
        return self._checked or self.specs is not None

    def is_ours(self, name: str, info: StreamInfo) -> bool:
        """Whether the stream on the server is the one in the state, or this run has made it."""
        return name in self._managed and self._managed[name].is_(info)

    def has_in_state(self, name: str) -> bool:
        """Whether the state has a stream of this name, whenever it was created."""
        return name in self._managed

    def gives_up(self, name: str, info: StreamInfo) -> bool:
        """Whether a stream will not keep its subjects: one of ours, with others wanted or to be deleted."""
        if self.specs is None or not self.is_ours(name, info):
            return False
        if name in self.specs:
            return True
        empty = not info.messages and not info.consumers
        policies = {OnDelete.DELETE, OnDelete.GUARD} if empty else {OnDelete.DELETE}
        return self._managed[name].on_delete in policies

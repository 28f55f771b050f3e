"""docs/data-safety.md from the field table and the loss rules; its messages are the program's own.

Pure: the figures of the example stream are fixed, so that the page changes only with the code.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from provisioner.catalogue.reader import parse
from provisioner.plan.carry_note import carry_note
from provisioner.plan.diff import Effect, Plan, plan
from provisioner.plan.message_loss import LOSS_RULES, forecast
from provisioner.reconcile.deletion import contents
from provisioner.reconcile.loss_approval import approval_of
from provisioner.reconcile.run_state import RunState
from provisioner.rules.normalise import normalise
from provisioner.schema.fields import FIELDS
from provisioner.schema.model import StreamConfig, StreamInfo
from provisioner.schema.types import Field, Mutability

_MESSAGES: Final = 1200
_BYTES: Final = 614_400
_OLDEST: Final = "2024-01-01T06:00:00Z"


@dataclass(frozen=True)
class Count:
    """What the server would answer of the example stream."""

    too_old: int = 340

    def before(self, _instant: str) -> int:
        return self.too_old

    def per_subject(self) -> Iterator[int]:
        return iter((1000, 150, 50))

    def acknowledged(self) -> int:
        return 700

    def awaited(self) -> int:
        return 500


@dataclass(frozen=True)
class Example:
    """A change of one stream, as two versions of its lines in a catalogue."""

    old: str
    new: str
    consumers: int = 0

    @property
    def plan(self) -> Plan:
        return plan(self.live.config, config(self.new))

    @property
    def live(self) -> StreamInfo:
        """The stream as the server holds it before the change."""
        return StreamInfo(normalise(config(self.old)), _OLDEST, _MESSAGES, _BYTES, _OLDEST, _OLDEST, self.consumers)

    @property
    def answers(self) -> list[str]:
        """The lines with which preview and up refuse the change, or tell what it means."""
        if self.plan.problems:
            return [str(problem) for problem in self.plan.problems]
        approval = approval_of("ORDERS", forecast(self.live, config(self.new), self.plan, Count()))
        carried = [carry_note("ORDERS", self.live, self.plan, None)] if self.plan.effect is Effect.CARRY else []
        return [*carried, *approval.problems]


def config(fields: str) -> StreamConfig:
    """The configuration of the example stream with these fields."""
    (spec,) = parse(f"ORDERS: {{{fields}}}", "example").streams
    return spec.config


# A change for each loss rule, in their order; then one with consumers, and two at once.
LOSSES: Final = (
    Example("max_age: 30d", "max_age: 7d"),
    Example("max_msgs: 2000", "max_msgs: 1000"),
    Example("max_bytes: 1MiB", "max_bytes: 500KiB"),
    Example("", "max_msgs_per_subject: 100"),
    Example("retention: limits", "retention: interest"),
    Example("retention: limits", "retention: interest", consumers=2),
    Example("max_msgs: 1000, discard: new", "max_msgs: 1000, discard: old"),
    Example("max_age: 30d", "max_age: 7d, max_msgs: 1000"),
)
# A change for each field that the server does not change in place, or not in every direction.
CARRIED: Final = (
    Example("storage: file", "storage: memory"),
    Example("retention: limits", "retention: workqueue"),
    Example("retention: limits", "retention: workqueue", consumers=2),
    Example("first_seq: 1000", ""),
    Example("sealed: true, deny_delete: true, deny_purge: true, discard: new", "discard: new"),
    Example("deny_delete: true", ""),
    Example("deny_purge: true", ""),
    Example("allow_msg_ttl: true", ""),
    Example("allow_msg_counter: true", ""),
    Example("allow_msg_schedules: true", "allow_rollup_hdrs: true"),
    Example("", "persist_mode: async"),
)
REPLACEMENTS: Final = (
    Example("", "mirror: {name: ORIGIN}"),
    Example("", "first_seq: 1000"),
    Example("", "allow_msg_counter: true"),
)
IMPOSSIBLE: Final = (
    Example("sealed: true, subject_delete_marker_ttl: 1m", "sealed: true, subject_delete_marker_ttl: 2m"),
    Example("sealed: true", "sealed: true, storage: memory, subject_delete_marker_ttl: 2m"),
)


def page(template: str) -> str:
    """The page: the template with its places filled in."""
    fields = [field for field in FIELDS if field.name != "name"]  # a stream with another name is another stream
    places = {
        "fields": _table(
            ("field", "what the server does with a change", "stored messages", "where it needs a new stream"),
            map(_row, fields),
        ),
        "loss_messages": _messages(LOSSES),
        "carried_messages": _messages(CARRIED),
        "replacement_messages": _messages(REPLACEMENTS),
        "impossible_messages": _messages(IMPOSSIBLE),
        "guard_message": f"```text\n{contents(RunState(), LOSSES[0].live)}\n```",
    }
    for name, text in places.items():
        template = template.replace(f"<!-- {name} -->", text)
    return template


def _row(field: Field) -> tuple[str, str, str, str]:
    new_stream = "" if field.change is Mutability.FREE else field.carry.value
    return f"`{field.name}`", field.change.value, fate(field), new_stream


def fate(field: Field) -> str:
    """What becomes of the stored messages when the server changes a field."""
    return "; ".join(rule.effect for rule in LOSS_RULES if field.name in rule.fields) or "kept"


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _messages(examples: Iterable[Example]) -> str:
    return "\n\n".join(map(_message, examples))


def _message(example: Example) -> str:
    consumers = f", with {example.consumers} consumers" if example.consumers else ""
    changes = ", ".join(map(str, example.plan.changes))
    return "\n".join([f"`{changes}`{consumers}:", "```text", *example.answers, "```"])

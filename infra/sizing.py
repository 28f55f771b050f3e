"""What a server has to be for a catalogue's streams: pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from infra.setting_types import EXTERNAL
from infra.settings import Settings, SettingsError
from provisioner.catalogue.model import reserved
from provisioner.schema.model import OnDelete, StreamSpec
from provisioner.text import counted, distinct_sizes

_GIB: Final = 1024**3


def fitted(settings: Settings, specs: Sequence[StreamSpec], promised: int = 0) -> Settings:
    """The settings as a server needs them, made for these streams.

    What holds the messages goes only when every stream in it may go.

    Args:
        settings: the stack's.
        specs: its streams.
        promised: bytes of file store that an account may fill; a server that has fewer does not start.

    Raises:
        SettingsError: the stack allows less storage than the streams reserve.
    """
    _require_nodes(settings, specs)
    policies = {policy(spec, settings) for spec in specs} or {settings.on_delete}
    return replace(
        settings,
        on_delete=OnDelete.DELETE if policies == {OnDelete.DELETE} else OnDelete.RETAIN,
        max_file_store=_max_file_store(settings, specs, promised),
    )


def _require_nodes(settings: Settings, specs: Sequence[StreamSpec]) -> None:
    """Each replica is on a node of its own; of somebody else's servers only a plan can tell how many there are."""
    if settings.server == EXTERNAL:
        return
    have = f"than the {counted(settings.nodes, 'node')} of stack {settings.stack}"
    problems = [
        f"{spec.place}: {spec.name}: num_replicas: {spec.config['num_replicas']} is more {have}; "
        f"lower {_source(settings, spec)}, or raise the setting nodes"
        for spec in specs
        if spec.config["num_replicas"] > settings.nodes
    ]
    if problems:
        raise SettingsError("\n".join(problems))


def _source(settings: Settings, spec: StreamSpec) -> str:
    """Where the number may be from: a stream that has that of the settings may as well say it itself."""
    return "it or the setting replicas" if settings.replicas == spec.config["num_replicas"] else "it"


def _max_file_store(settings: Settings, specs: Sequence[StreamSpec], promised: int) -> int | None:
    needed, limit = reserved(specs), settings.max_file_store
    if limit is None:
        own = room(specs)
        return own and max(own, promised)
    if limit < promised:
        stated, promised_text = distinct_sizes(limit, promised)
        raise SettingsError(
            f"settings of stack {settings.stack}: maxFileStore: {stated} is less than the {promised_text} that the "
            f"account in {settings.services} may fill"
        )
    if limit < needed:
        stated, reserved_text = distinct_sizes(limit, needed)
        raise SettingsError(
            f"settings of stack {settings.stack}: maxFileStore: {stated} is less than the "
            f"{reserved_text} that the streams of {settings.catalogue} reserve"
        )
    return limit


def room(specs: Iterable[StreamSpec]) -> int | None:
    """Bytes of file store to give a server for these streams; None where one of them has no limit.

    A node of a cluster may get a replica of every stream, and never two of one.
    The largest counts twice: the server asks for a CREATE's room before it sees that the stream
    exists, so a full store refuses a service that creates its own stream at start-up.
    """
    on_disk = [spec.config for spec in specs if spec.config["storage"] == "file"]
    sizes = [config["max_bytes"] for config in on_disk]
    if any(size < 0 for size in sizes):
        return None
    return -(-(sum(sizes) + max(sizes, default=0)) // _GIB) * _GIB or _GIB


def policy(spec: StreamSpec, settings: Settings) -> OnDelete:
    """What happens to a stream's messages when it is deleted: its own word, else the stack's."""
    return spec.on_delete or settings.on_delete

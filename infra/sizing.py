"""What a server has to be for a catalogue's streams: pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from infra.settings import Settings, SettingsError
from provisioner.catalogue.model import reserved, room
from provisioner.schema.model import OnDelete, StreamSpec
from provisioner.text import distinct_sizes


def fitted(settings: Settings, specs: Sequence[StreamSpec]) -> Settings:
    """The settings as a server needs them, made for these streams.

    What holds the messages goes only when every stream in it may go.

    Raises:
        SettingsError: the stack allows less storage than the streams reserve.
    """
    policies = {policy(spec, settings) for spec in specs} or {settings.on_delete}
    return replace(
        settings,
        on_delete=OnDelete.DELETE if policies == {OnDelete.DELETE} else OnDelete.RETAIN,
        max_file_store=_max_file_store(settings, specs),
    )


def _max_file_store(settings: Settings, specs: Sequence[StreamSpec]) -> int | None:
    needed, given = reserved(specs), settings.max_file_store
    if given is None:
        return room(specs)
    if given < needed:
        stated, reserved_text = distinct_sizes(given, needed)
        raise SettingsError(
            f"settings of stack {settings.stack}: maxFileStore: {stated} is less than the "
            f"{reserved_text} that the streams of {settings.catalogue} reserve"
        )
    return given


def policy(spec: StreamSpec, settings: Settings) -> OnDelete:
    """What happens to a stream's messages when it is deleted: its own word, else the stack's."""
    return spec.on_delete or settings.on_delete

"""The configuration under which a stream is restored when a change needs a new stream: pure.

It is the old one with what cannot be updated taken from the new one. The rest follows by an UPDATE, so
that limits trim as they do in any update: counted before, and approved.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from provisioner.rules.normalise import normalise
from provisioner.rules.stream_config import create_problems
from provisioner.schema.config import value_of, with_fields
from provisioner.schema.fields import FIELDS
from provisioner.schema.model import StreamConfig
from provisioner.schema.types import Wire

# The server refuses to restore larger messages or more consumers than these allow, and to make a sealed stream.
_LIFTED: Final = {"max_msg_size": -1, "max_consumers": -1, "sealed": False}


def carried_config(actual: StreamConfig, desired: StreamConfig, fields: Iterable[str]) -> StreamConfig:
    """The actual configuration with these fields as they are desired, and whatever has to go with them.

    Args:
        actual: the stream as it is.
        desired: the stream as it is wanted, under the same name or another.
        fields: what needs a new stream.
    """
    wanted = normalise(desired)
    carried = with_fields(normalise(actual), {"name": desired["name"], **_values(wanted, fields), **_LIFTED})
    for _ in FIELDS:
        named = {str(path[0]) for problem in create_problems(carried) for path in (problem.path, *problem.needs)}
        values = _values(wanted, named)
        if all(value_of(carried, field) == value for field, value in values.items()):
            break
        carried = with_fields(carried, values)
    return carried


def _values(config: StreamConfig, fields: Iterable[str]) -> dict[str, Wire]:
    return {field: value_of(config, field) for field in fields}

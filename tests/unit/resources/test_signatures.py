"""The generated classes and the tables are the same."""

from __future__ import annotations

import inspect

import pytest

import provisioner
from provisioner import Consumer, KeyValue, ObjectStore, Stream
from provisioner.resources import own_server
from provisioner.resources.managed import Managed

_OF_PULUMI = {"resource_name", "server", "opts", "stream"}


@pytest.mark.parametrize("class_", [Stream, KeyValue, ObjectStore, Consumer])
def test_each_field_is_an_argument(class_: type[Managed]) -> None:
    """Every row of the table, and nothing else that it does not have."""
    takes = set(inspect.signature(class_).parameters) - _OF_PULUMI
    assert {field.name for field in class_.wording.fields} - _OF_PULUMI == takes


def test_every_public_name_is_there() -> None:
    """What is imported when it is asked for exists, and a name that does not is Python's own error."""
    for module in (provisioner, own_server):
        assert [] == [name for name in module.__all__ if not hasattr(module, name)]
        assert not hasattr(module, "Strem")

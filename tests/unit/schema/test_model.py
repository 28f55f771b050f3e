"""The typed configuration says what the field table says."""

from __future__ import annotations

from types import NoneType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints, is_typeddict

import pytest

from provisioner.schema.config import config_of, read_config, show_config, value_of, with_fields
from provisioner.schema.fields import FIELDS, POLICY_FIELDS
from provisioner.schema.model import Adopt, OnDelete, StreamConfig, StreamSpec
from provisioner.schema.scalars import Choice, Count, Duration, Flag, Labels, Size, Text, Timestamp
from provisioner.schema.types import Field, FieldPath, FieldType, ListOf, Record

_SCALARS: dict[type, type] = {Text: str, Flag: bool, Count: int, Size: int, Duration: int, Timestamp: str}


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.name)
def test_each_field_of_the_table_has_its_type(field: Field) -> None:
    """Same keys, and each value's type is that of the field, down to the last nested block."""
    hints = get_type_hints(StreamConfig)
    assert [field.name for field in FIELDS] == list(hints)
    _assert_fits(field, hints[field.name])


def _fail(path: FieldPath, what: str) -> None:
    raise AssertionError(f"{path} {what}")


def _assert_fits(field: Field, hint: Any) -> None:
    options = set(get_args(hint)) if get_origin(hint) in (Union, type(int | str)) else {hint}
    assert (field.default is None) == (NoneType in options), field.name
    (present,) = options - {NoneType}
    _assert_type(field.type, present)


def _assert_type(type_: FieldType, hint: Any) -> None:
    match type_:
        case Choice(words):
            assert Literal[words] == hint
        case Labels():
            assert dict[str, str] == hint
        case ListOf(entry):
            assert list is get_origin(hint)
            _assert_type(entry, get_args(hint)[0])
        case Record(fields):
            assert is_typeddict(hint)
            assert [field.name for field in fields] == list(get_type_hints(hint))
            for field in fields:
                _assert_fits(field, get_type_hints(hint)[field.name])
        case _:
            assert _SCALARS[type(type_)] is hint


def test_each_policy_field_is_an_attribute_of_a_spec() -> None:
    """With the same default."""
    spec = StreamSpec(config_of({}))
    assert {field.name: field.default for field in POLICY_FIELDS} == {
        f.name: getattr(spec, f.name) for f in POLICY_FIELDS
    }


@pytest.mark.parametrize(("name", "members"), [("on_delete", OnDelete), ("adopt", Adopt)])
def test_a_policy_is_read_as_a_member_and_shown_as_text(name: str, members: type[OnDelete | Adopt]) -> None:
    """Code compares members; the state holds plain text, as Pulumi must get no subclass of it."""
    (type_,) = (field.type for field in POLICY_FIELDS if field.name == name)
    for member in members:
        assert member is type_.read(str(member.value), (name,), _fail)
        assert str is type(type_.show(member))
    assert {"enum": [member.value for member in members]} == type_.schema()


def test_a_word_that_is_no_policy_is_reported() -> None:
    """With the words there are."""
    reports: list[str] = []
    (type_,) = (field.type for field in POLICY_FIELDS if field.name == "on_delete")
    assert None is type_.read("gard", ("on_delete",), lambda _path, what: reports.append(what))
    assert ["'gard' is not one of guard, delete, retain; did you mean guard?"] == reports


def test_access_by_a_name_known_at_run_time() -> None:
    """A value is read, replaced, and the original is left alone."""
    config = read_config({"name": "A", "max_age": "7d"}, _fail)
    changed = with_fields(config, {"max_age": 0})
    assert (604_800_000_000_000, 0) == (value_of(config, "max_age"), value_of(changed, "max_age"))
    assert {"name": "A", "max_age": "7d"} == show_config(config)

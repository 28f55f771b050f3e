"""The JSON schema that editors complete from."""

import json
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from provisioner.catalogue.consumers import STATED_FIELDS
from provisioner.catalogue.json_schema import catalogue_schema
from provisioner.catalogue.reader import STREAM_FIELDS, parse
from provisioner.errors import CatalogueError

ROOT = Path(__file__).parents[3]
VALIDATOR = Draft202012Validator(catalogue_schema())

FULL = {
    "defaults": {"max_age": "7d", "on_delete": "guard"},
    "ignore": ["TEMP_*"],
    "A": {
        "subjects": ["a.>"],
        "max_bytes": "10 GiB",
        "max_msgs": "unlimited",
        "num_replicas": 3,
        "max_age": 0,
    },
    "B": {"mirror": {"name": "C", "opt_start_time": "2026-01-31T12:00:00Z"}, "metadata": {"team": "x"}},
    "C": None,
    "buckets": {"A": {"history": 3, "ttl": "1d", "seed": {"key": "value"}}, "B": None, "M": {"mirror": {"name": "A"}}},
    "objects": {"A": {"ttl": "1h", "on_delete": "guard"}},
    "D": {"max_bytes": 1024, "first_seq": 18446744073709551615, "duplicate_window": "1h30m"},
}


def test_the_committed_schema_is_current() -> None:
    """``streams schema > infra/streams.schema.json`` brings it up to date."""
    assert json.loads((ROOT / "infra/streams.schema.json").read_text()) == catalogue_schema()


def test_the_schema_is_a_schema() -> None:
    """Draft 2020-12 takes it."""
    Draft202012Validator.check_schema(catalogue_schema())


def test_every_field_is_described() -> None:
    """Completion shows what each field is and its default."""
    for kind, fields in (("stream", STREAM_FIELDS), ("consumer", STATED_FIELDS)):
        properties = catalogue_schema()["$defs"][kind]["properties"]
        expected = {field.name: field for field in fields}
        assert properties.keys() - {"consumers"} == expected.keys()
        for name, field in expected.items():
            assert properties[name]["description"] == field.doc
            assert ("default" in properties[name]) == (field.default is not None)


def test_every_default_fits() -> None:
    """What the schema shows as a default, it takes."""
    properties = catalogue_schema()["$defs"]["stream"]["properties"]
    shown = {name: field["default"] for name, field in properties.items() if "default" in field}
    assert VALIDATOR.is_valid({"A": shown})


def test_the_committed_catalogue_refers_to_it_and_fits() -> None:
    """An editor finds the schema from the catalogue's first line, and has no complaint."""
    text = (ROOT / "infra/streams.yaml").read_text()
    assert text.startswith("# yaml-language-server: $schema=streams.schema.json\n")
    VALIDATOR.validate(yaml.safe_load(text))


def test_a_full_catalogue_fits_both() -> None:
    """Schema and reader agree on what is right."""
    VALIDATOR.validate(FULL)
    parse(json.dumps(FULL), "c.json")


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        [],
        {"A": 5},
        {"A": {"max_agee": "7d"}},
        {"A": {"max_age": "7 days"}},
        {"A": {"max_age": 7}},
        {"A": {"max_bytes": True}},
        {"A": {"storage": "disk"}},
        {"A": {"subjects": "a"}},
        {"A": {"num_replicas": 6}},
        {"A": {"name": "A"}},
        {"A": {"sources": [{}]}},
        {"A": {"metadata": {"a": 1}}},
        {"a b": {}},
        {"KV_a": {}},
        {"ignore": {"subjects": ["a"]}, "A": {}},
        {"ignore": [""], "A": {}},
        {"defaults": {"subjects": ["a"]}, "A": {}},
    ],
)
def test_wrong_catalogues_do_not_fit(wrong: object) -> None:
    """The schema refuses what the reader refuses."""
    assert not VALIDATOR.is_valid(wrong)
    with pytest.raises(CatalogueError, match=r"^c\.json:"):
        parse(json.dumps(wrong), "c.json")

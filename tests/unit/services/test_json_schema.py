"""The JSON schema that editors complete from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from provisioner.services.json_schema import services_schema

ROOT = Path(__file__).parents[3]
VALIDATOR = Draft202012Validator(services_schema())
SERVICES = {"a": {"creates": ["A"]}}


def test_the_schema_is_a_schema() -> None:
    """Draft 2020-12 takes it."""
    Draft202012Validator.check_schema(services_schema())


def test_the_committed_file_is_valid() -> None:
    """Its first line names the schema for editors."""
    text = (ROOT / "infra/services.yaml").read_text()
    assert text.startswith("# yaml-language-server: $schema=services.schema.json\n")
    VALIDATOR.validate(yaml.safe_load(text))


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"services": {}},
        {"services": {"provisioner": {}}},
        {"services": {"a.b": {}}},
        {"services": {"a": {"publish": []}}},
        {"services": {"a": {"consumes": [{"subjects": []}]}}},
        {"services": {"a": {"reads": [{"keys": ["x"]}]}}},
        {"services": {"a": {"watches": "A"}}},
        {"services": SERVICES, "account": {"limit": 1}},
        {"services": SERVICES, "provisioner": {"copies": "no"}},
    ],
)
def test_what_is_wrong_in_the_schema_too(wrong: dict[str, Any]) -> None:
    """An editor marks what the reader refuses."""
    assert not VALIDATOR.is_valid(wrong)

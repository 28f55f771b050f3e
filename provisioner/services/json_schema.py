"""JSON schema of a services' file, for editors: completion, descriptions, defaults."""

from __future__ import annotations

from typing import Any

from provisioner.schema.types import object_schema
from provisioner.services.fields import (
    ACCOUNT_FIELDS,
    FILE_FIELDS,
    MONITORING_FIELDS,
    PROVISIONER_FIELDS,
    SERVICE_FIELDS,
)
from provisioner.services.model import BUILT_IN, MONITORING, PROVISIONER
from provisioner.services.reader import ACCOUNT, SERVICES


def services_schema() -> dict[str, Any]:
    """The schema, in JSON Schema's draft 2020-12."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Services of JetStream streams",
        "description": "Who publishes, consumes and creates which streams.",
        "type": "object",
        "additionalProperties": False,
        "required": [SERVICES],
        "properties": {
            **object_schema(FILE_FIELDS)["properties"],
            ACCOUNT: {**_optional(object_schema(ACCOUNT_FIELDS)), "description": "The account and its limits."},
            PROVISIONER: {**_optional(object_schema(PROVISIONER_FIELDS)), "description": "What manages the streams."},
            MONITORING: {**_optional(object_schema(MONITORING_FIELDS)), "description": "What watches the streams."},
            SERVICES: {
                "description": "Service name -> what it does.",
                "type": "object",
                "minProperties": 1,
                "propertyNames": {"pattern": f"^(?!({'|'.join(BUILT_IN)})$)[A-Za-z][A-Za-z0-9_-]{{0,62}}$"},
                "additionalProperties": object_schema(SERVICE_FIELDS),
            },
        },
    }


def _optional(schema: dict[str, Any]) -> dict[str, Any]:
    return {**schema, "type": [schema["type"], "null"]}

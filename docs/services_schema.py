"""The JSON schema that editors complete ``infra/services.yaml`` from."""

from __future__ import annotations

import json

from provisioner.services.json_schema import services_schema


def schema(_example: str) -> str:
    """The schema's text; it follows from the tables of the file's keys, and from no example."""
    return json.dumps(services_schema(), indent=2, ensure_ascii=False) + "\n"

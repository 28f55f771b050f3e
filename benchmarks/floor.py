"""The floor: the stack's resources, property by property, with a provider that does nothing.

What this program takes is Pulumi's own time; whatever the stack takes on top is ours. Its
classes live in a module of their own, so that Pulumi pickles them by reference, as it does ours.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from pulumi.dynamic import CreateResult, Resource, ResourceProvider, UpdateResult

PROPERTIES: Final = "properties.json"  # resource name -> inputs


class NoOpProvider(ResourceProvider):
    """Says yes."""

    serialize_as_secret_always = False

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Make nothing."""
        return CreateResult(props["name"], props)

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        """Change nothing."""
        return UpdateResult(_news)


class NoOp(Resource, module="benchmarks", name="NoOp"):
    """A resource that is nowhere."""


def deploy() -> None:
    """Declare the resources that the file lists."""
    for name, properties in json.loads(Path(PROPERTIES).read_text()).items():
        NoOp(NoOpProvider(), name, properties)

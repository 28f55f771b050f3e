"""What a stack's state says of its streams: when each of them was created, so that another of its name shows."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from provisioner.backup.carry_folder import CarryFolder
from provisioner.errors import ProvisionerError
from provisioner.schema.stores import BUCKETS, OBJECTS

# The type of a resource -> which of its properties has the name, and what the stream's begins with.
_TYPES: Final = {
    "jetstream:Stream": ("name", ""),
    "jetstream:KeyValue": ("bucket", BUCKETS.prefix),
    "jetstream:ObjectStore": ("bucket", OBJECTS.prefix),
}


def created_by_last_up(file: Path) -> dict[str, str | None]:
    """When each stream of the state, or what has taken its messages over, was created.

    Args:
        file: what ``pulumi stack export`` writes, or the stack's own file in a folder of states.

    Raises:
        ProvisionerError: it is neither.
    """
    try:
        return dict(_created(json.loads(file.read_bytes())))
    except OSError as error:
        raise ProvisionerError(f"{file}: cannot be read: {error.strerror}") from error
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise ProvisionerError(f"{file}: is not the state of a stack; write it with pulumi stack export") from error


def _created(state: Mapping[str, Any]) -> Iterator[tuple[str, str | None]]:
    deployment = state["deployment"] if "deployment" in state else state["checkpoint"]["latest"]
    for resource in (deployment or {}).get("resources") or ():
        key, prefix = _TYPES.get(resource["type"].rpartition("/")[2], ("", ""))
        if key:
            outputs = resource["outputs"]
            name = prefix + outputs[key]
            yield name, CarryFolder(outputs.get("store") or outputs["url"], name).current(outputs.get("created"))

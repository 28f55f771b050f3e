"""When a stack was last brought up, by the history that Pulumi keeps beside its state: no engine is asked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from provisioner.errors import ProvisionerError

_PATTERN: Final = "*.history.json"


def last_successful_up(folder: Path) -> float | None:
    """When the last successful up ended, in seconds since 1970; None where there has been none.

    Args:
        folder: of one stack, in a folder of states: ``.pulumi/history/PROJECT/STACK``.

    Raises:
        ProvisionerError: it is no folder, or holds something else.
    """
    if not folder.is_dir():
        raise ProvisionerError(f"{folder}: is no folder; Pulumi has it in .pulumi/history/PROJECT/STACK")
    # Their names end with the time in nanoseconds: the newest comes first, and ends the search.
    for file in sorted(folder.glob(_PATTERN), key=lambda file: file.name, reverse=True):
        update = _read(file)
        if (update.get("kind"), update.get("result")) == ("update", "succeeded"):
            return float(update["endTime"])
    return None


def _read(file: Path) -> dict[str, Any]:
    try:
        update: dict[str, Any] = json.loads(file.read_bytes())
        update["endTime"]  # every entry has one
    except OSError as error:
        raise ProvisionerError(f"{file}: cannot be read: {error.strerror}") from error
    except (ValueError, LookupError, TypeError) as error:
        raise ProvisionerError(f"{file}: is no entry of Pulumi's history") from error
    return update

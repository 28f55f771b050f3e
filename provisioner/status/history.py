"""When the last successful up ended, by what Pulumi keeps of its runs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from provisioner.errors import ProvisionerError

# The state of a local backend has a file for each run; only the newest can be the one.
_MOST_LOOKED_AT: Final = 50


def last_successful_up(source: Path) -> datetime | None:
    """The end of the newest up that succeeded; None if there is none.

    Args:
        source: a file with what ``pulumi stack history --json`` prints, or the folder in which a local backend keeps
            the history of the stack: ``.pulumi/history/PROJECT/STACK``.

    Raises:
        ProvisionerError: it is neither.
    """
    try:
        runs = _of_folder(source) if source.is_dir() else iter(json.loads(source.read_bytes()))
        ends = [end for run in runs if (end := _end(run))]
    except OSError as error:
        raise ProvisionerError(f"{source}: cannot be read: {error.strerror}") from error
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise ProvisionerError(f"{source}: is no history; write it with pulumi stack history --json") from error
    return max(ends, default=None)


def _of_folder(folder: Path) -> Iterator[Mapping[str, Any]]:
    """The newest runs; the names have the time at which each began."""
    files = sorted(folder.glob("*.history.json"), reverse=True)[:_MOST_LOOKED_AT]
    yield from (json.loads(file.read_bytes()) for file in files)


def _end(run: Mapping[str, Any]) -> datetime | None:
    """A local backend has seconds since 1970, ``pulumi stack history`` has text."""
    if (run["kind"], run["result"]) != ("update", "succeeded"):
        return None
    end = run["endTime"]
    return datetime.fromtimestamp(end, UTC) if isinstance(end, int) else datetime.fromisoformat(end)

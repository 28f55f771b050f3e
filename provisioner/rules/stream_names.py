"""Names of streams: which the server takes, and what the ones with a prefix stand for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Final

_FORBIDDEN: Final = frozenset(" \t\r\n\f.*>/\\")

# Prefix of the streams behind something else -> what that is.
STORES: Final = {"KV_": "key-value bucket", "OBJ_": "object bucket"}
_SERVER_PREFIXES: Final = ("_", "$")


@dataclass(frozen=True)
class Unmanaged:
    """A stream that no catalogue names, under the name its owner knows."""

    name: str
    kind: str
    prefix: str = field(default="", compare=False)

    @property
    def stream(self) -> str:
        """The stream's own name."""
        return self.prefix + self.name

    def __str__(self) -> str:
        """As a line of a status names it."""
        return f"{self.kind} {self.name}"


def is_asset_name(name: str) -> bool:
    """Whether the server takes this as a stream's or consumer's name."""
    return bool(name) and not _FORBIDDEN & set(name)


def store_prefix(name: str) -> str | None:
    """The prefix of a stream behind a bucket, None of any other."""
    return next((prefix for prefix in STORES if name.startswith(prefix)), None)


def unmanaged(names: Iterable[str], managed: Iterable[str], ignore: Iterable[str] = ()) -> tuple[Unmanaged, ...]:
    """The streams beside the managed ones, sorted; without the server's own and those that match a shell pattern."""
    others = sorted(name for name in set(names) - set(managed) if not name.startswith(_SERVER_PREFIXES))
    return tuple(_classified(name) for name in others if not any(fnmatchcase(name, pattern) for pattern in ignore))


def _classified(name: str) -> Unmanaged:
    prefix = store_prefix(name) or ""
    return Unmanaged(name.removeprefix(prefix), STORES.get(prefix, "stream"), prefix)

"""Values that a preview does not know yet, as they are outputs of what is still to be made: pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pulumi.output import Unknown

Props = Mapping[str, Any]

_OF_SERVER: Final = ("login", "monitor_url", "url")


def is_unknown(value: object) -> bool:
    """Whether a value, or a part of it, is not known yet."""
    if isinstance(value, Mapping):
        return any(map(is_unknown, value.values()))
    return any(map(is_unknown, value)) if isinstance(value, (list, tuple)) else isinstance(value, Unknown)


def known(props: Props) -> dict[str, Any]:
    """The properties that are known whole."""
    return {name: value for name, value in props.items() if not is_unknown(value)}


def unknown(props: Props) -> dict[str, Any]:
    """The properties that are not."""
    return {name: value for name, value in props.items() if is_unknown(value)}


def unasked(what: str, props: Props) -> str:
    """What a plan says where it could not ask for want of some values; of the server's it is said once for all.

    Args:
        what: what it is about.
        props: the properties; data that has no name of its own has the url for one.
    """
    names = sorted(unknown(props))
    if of_server := [name for name in names if name in _OF_SERVER]:
        what, names = f"server {props.get('server', '')}".strip(), of_server
    verb = "is" if len(names) == 1 else "are"
    return f"{what}: {', '.join(names)} {verb} not known yet: planned without asking the server"


def supposed(olds: Props, news: Props) -> dict[str, Any]:
    """The new properties, what is not known yet as it was before."""
    return known(news) | {name: olds[name] for name in unknown(news) if name in olds}

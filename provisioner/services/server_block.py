"""The text of nats-server's configuration that has the users and their permissions."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from provisioner.catalogue.model import Catalogue
from provisioner.schema.types import Field
from provisioner.services.fields import CLIENT_LIMITS, JETSTREAM_LIMITS
from provisioner.services.logins import Login, Logins, require
from provisioner.services.model import GLOBAL_ACCOUNT, Account, Services
from provisioner.services.permissions import Permissions, permissions
from provisioner.text import printable

_INDENT: Final = "  "


def accounts_block(services: Services, catalogue: Catalogue, logins: Logins) -> str:
    """The part of a server's configuration that lets in exactly these identities.

    Args:
        services: who may do what.
        catalogue: the streams that they speak of.
        logins: one for each identity of ``services.purposes``.

    Raises:
        ServicesError: a login is missing, unusable or shared: one line each.
    """
    require(logins, services)
    allowed = permissions(services, catalogue)
    users = [line for name in allowed for line in _user(name, services.purposes[name], logins[name], allowed[name])]
    return "\n".join((*_around(services.account, [*_block("users = [", users, "]")]), ""))


def comments(services: Services, allowed: Mapping[str, Permissions]) -> Iterator[str]:
    """The same for people, where the server reads it from a token: what a plan's difference can be read from."""
    for name, permitted in allowed.items():
        yield f"# {_title(name, services.purposes[name])}"
        yield from (f"#   publish {subject}" for subject in permitted.publish)
        yield from (f"#   subscribe {subject}" for subject in permitted.subscribe)


def _around(account: Account, users: Iterable[str]) -> Iterator[str]:
    """The users in their account; the global one cannot be written as one."""
    if account.name == GLOBAL_ACCOUNT:
        return _block("authorization {", users)
    inside = (*_jetstream(account), *_limits("limits", account, CLIENT_LIMITS), *users)
    return _block("accounts {", _block(f"{_quoted(account.name)} {{", inside))


def _jetstream(account: Account) -> Iterator[str]:
    lines = [*_limits("jetstream", account, JETSTREAM_LIMITS)]
    yield from lines or ["jetstream: enabled"]


def _limits(name: str, account: Account, fields: Iterable[Field]) -> Iterator[str]:
    lines = [f"{field.name}: {account.limits[field.name]}" for field in fields if field.name in account.limits]
    if lines:
        yield from _block(f"{name} {{", lines)


def _user(name: str, purpose: str, login: Login, allowed: Permissions) -> Iterator[str]:
    yield f"# {_title(name, purpose)}"
    lists: Mapping[str, tuple[str, ...]] = {"publish": allowed.publish, "subscribe": allowed.subscribe}
    lines = [line for action, subjects in lists.items() for line in _list(f"{action}: {{ allow: [", subjects)]
    keys = [f"{key}: {_quoted(value)}" for key, value in login.lines]
    yield from _block("{", (*keys, *_block("permissions: {", lines)))


def _title(name: str, purpose: str) -> str:
    return f"{name}{': ' if purpose else ''}{printable(purpose)}"


def _list(begin: str, subjects: Iterable[str]) -> Iterator[str]:
    return _block(begin, map(_quoted, subjects), "] }")


def _block(begin: str, lines: Iterable[str], end: str = "}") -> Iterator[str]:
    yield begin
    yield from (f"{_INDENT}{line}" for line in lines)
    yield end


def _quoted(text: str) -> str:
    # nats-server reads the escapes of JSON, but not \uXXXX.
    return json.dumps(text, ensure_ascii=False)
